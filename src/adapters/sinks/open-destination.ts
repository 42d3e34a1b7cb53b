import type { DestinationSetting } from '../../core/sink-settings.ts';
import { otlpDestination } from '../telemetry/otlp/otlp-destination.ts';
import { datadogDestination } from './datadog.ts';
import type { Destination } from './destination.ts';
import { fileDestination } from './file.ts';
import { heliconeDestination } from './helicone.ts';
import { objectStoreDestination } from './object-store.ts';
import type { Sender } from './post.ts';
import { webhookDestination } from './webhook.ts';

export interface Program {
  readonly version: string;
  /** This process, among all that write to the same place. */
  readonly instance: string;
  /** What OpenTelemetry's conventions call a provider. */
  readonly conventionName: (providerId: string) => string;
}

/** One line a kind of destination. */
export function openDestination(setting: DestinationSetting, sender: Sender, program: Program): Destination {
  switch (setting.kind) {
    case 'otlp':
      return otlpDestination(withProgram(setting, program), sender, program);
    case 'helicone':
      return heliconeDestination(setting, sender);
    case 'datadog':
      return datadogDestination(setting, sender);
    case 'webhook':
      return webhookDestination(setting, sender);
    case 'object_store':
      return objectStoreDestination(setting, sender, program.instance);
    case 'file':
      return fileDestination(setting);
  }
}

/** The resource says which program and which of its processes it was. */
export function withProgram<Setting extends { readonly resource: Readonly<Record<string, string>> }>(
  setting: Setting,
  { version, instance }: Pick<Program, 'version' | 'instance'>,
): Setting {
  const own = { 'service.version': version, 'service.instance.id': instance, 'telemetry.sdk.version': version };
  return { ...setting, resource: { ...own, ...setting.resource } };
}

import type { OwnSink } from '../../core/identity.ts';
import type { DestinationSetting, SinkSetting, TelemetrySettings } from '../../core/sink-settings.ts';
import type { Environment } from '../environment.ts';
import { destinations } from './destinations.ts';
import { Written } from './variables.ts';

/** Services whose own addresses a key or a team may name without the operator's word. */
const knownHosts = [
  'cloud.langfuse.com',
  'us.cloud.langfuse.com',
  'hipaa.cloud.langfuse.com',
  'jp.cloud.langfuse.com',
  'api.helicone.ai',
  'eu.api.helicone.ai',
  'api.us.helicone.ai',
];
const knownSuffixes = ['.datadoghq.com', '.datadoghq.eu', '.ddog-gov.com'];

export interface OwnSinkSources {
  readonly environment: Environment;
  /** The gateway's own sinks: their hosts may be named, and their settings are what a key does not say. */
  readonly telemetry: TelemetrySettings;
  /** Hosts that the operator allows besides (`general_settings.sink_hosts`). */
  readonly hosts: readonly string[];
  readonly hidesCaller: boolean;
  /** Opens what is sealed; null when it cannot be opened. */
  readonly open: (text: string) => string | null;
}

/**
 * The sink that a key or a team asks for, or why there is none. Whoever may change a key's metadata must not make the
 * gateway call whatever address they like, so the host must be a known service's, the gateway's own sink's, or allowed.
 */
export function ownSinkSetting({ name, hears, vars }: OwnSink, sources: OwnSinkSources): SinkSetting | string {
  const read = destinations[name];
  // Files and object stores belong to the operator.
  if (read === undefined || name === 'jsonl' || name.startsWith('s3')) return `${name}: no sink that a key may have`;
  const clear: Record<string, string> = {};
  for (const [variable, value] of Object.entries(vars)) {
    if (typeof value !== 'string') continue;
    const text = value.startsWith('os.environ/')
      ? variableOf(value.slice('os.environ/'.length), sources.environment)
      : sources.open(value);
    if (text === null) return `${name}: its ${variable} cannot be read`;
    clear[variable] = text;
  }
  // Without the environment: a key that names no credential of its own must not be given the operator's elsewhere.
  const destination = read(new Written({}, clear));
  if (typeof destination === 'string') {
    const shared = sources.telemetry.sinks.find((sink) => sink.name === name);
    if (shared === undefined || Object.keys(clear).length > 0) return `${name}: ${destination}`;
    return { ...shared, hears };
  }
  const host = hostOf(destination);
  if (host !== null && !isAllowed(host, sources)) {
    return `${name}: ${host} is not among the hosts that keys and teams may name (general_settings.sink_hosts)`;
  }
  return {
    name,
    hears,
    takesContent: !/^true$/i.test(String(vars.turn_off_message_logging ?? '')),
    hidesCaller: sources.hidesCaller,
    destination,
  };
}

/** Nothing of the environment but what is meant for sinks. */
function variableOf(name: string, environment: Environment): string | null {
  return /^(LANGFUSE|HELICONE|DD|DATADOG|GENERIC_LOGGER)_/.test(name) ? (environment[name] ?? null) : null;
}

function isAllowed(host: string, { telemetry, hosts }: OwnSinkSources): boolean {
  const name = host.replace(/:\d+$/, '');
  return (
    knownHosts.includes(host) ||
    knownSuffixes.some((suffix) => host.endsWith(suffix)) ||
    hosts.includes(host) ||
    hosts.includes(name) ||
    telemetry.sinks.some(({ destination }) => hostOf(destination) === host)
  );
}

function hostOf(destination: DestinationSetting): string | null {
  switch (destination.kind) {
    case 'otlp':
      return new URL(destination.tracesUrl).host;
    case 'helicone':
      return new URL(destination.baseUrl).host;
    case 'datadog':
      return new URL(destination.url).host;
    case 'webhook':
      return new URL(destination.url.reveal()).host;
    case 'object_store':
      return new URL(destination.endpoint).host;
    case 'file':
      return null;
  }
}

/** What the operator wrote for single teams names hosts as `sink_hosts` does. */
export function teamSinkHosts(written: readonly Readonly<Record<string, unknown>>[] | undefined): string[] {
  const values = (written ?? []).flatMap((entry) => Object.values(entry));
  return values.flatMap((value) => (typeof value === 'string' && URL.canParse(value) ? [new URL(value).host] : []));
}

import { nearest } from '../../core/nearest.ts';
import type { Secret } from '../../core/secret.ts';
import type { SinkHeaders, SinkSetting, TelemetrySettings } from '../../core/sink-settings.ts';
import type { Path } from '../diagnostic.ts';
import type { Config } from '../load.ts';
import { destinations } from './destinations.ts';
import { metricSettings } from './metric-settings.ts';
import { langfuseAuth, readOpenTelemetry } from './open-telemetry.ts';
import { Written } from './variables.ts';

/** Callbacks that something else answers for: metrics are always there, alerts have settings of their own. */
const elsewhere: ReadonlySet<string> = new Set(['prometheus', 'prometheus_system', 'slack', 'email', 'smtp_email']);

export interface FoundTelemetry {
  readonly settings: TelemetrySettings;
  /** Credentials in it, for the scrubber of logs. */
  readonly secrets: readonly Secret[];
}

export type ReportTelemetry = (path: Path, message: string, nearestName?: string) => void;

interface Named {
  readonly name: string;
  readonly path: Path;
  hears: SinkSetting['hears'];
}

/** Where finished requests are told to: the callbacks of the configuration, and OpenTelemetry where its variables are set. */
export function telemetrySettings(config: Config, report: ReportTelemetry): FoundTelemetry {
  const {
    general_settings: general = {},
    litellm_settings: litellm = {},
    callback_settings: bySink = {},
  } = config.sections;
  const redactsAll = litellm.turn_off_message_logging ?? false;
  const hidden = {
    hidesCaller: litellm.redact_user_api_key_info ?? false,
    ...(litellm.redact_messages_in_exceptions && { hidesErrors: true }),
  };
  const langfuseTags = litellm.langfuse_default_tags ?? [];
  const sinks: SinkSetting[] = [];
  const langfuseKeys = new Written(config.environment, bySink.langfuse, bySink.langfuse_otel);
  const langfuseHeaders = langfuseAuth(
    langfuseKeys.text(['langfuse_public_key', 'public_key'], ['LANGFUSE_PUBLIC_KEY']),
    langfuseKeys.secret(['langfuse_secret_key', 'langfuse_secret', 'secret_key'], ['LANGFUSE_SECRET_KEY']),
  );

  const named = namedCallbacks(config);
  const otel = named.find(({ name }) => name === 'otel');
  const otelWritten = new Written(config.environment, bySink.otel);
  const found = readOpenTelemetry(otelWritten, otel !== undefined, langfuseHeaders);
  for (const warning of found.warnings) report(otel?.path ?? ['callback_settings', 'otel'], warning);
  if (found.spans !== null) {
    const content =
      otelWritten.flag(['message_logging'], ['OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT']) ?? false;
    sinks.push({
      name: 'otel',
      hears: otel?.hears ?? 'all',
      takesContent: content && !redactsAll,
      ...hidden,
      destination: found.spans,
    });
  }

  for (const { name, path, hears } of named) {
    if (name === 'otel' || elsewhere.has(name)) continue;
    const own = bySink[name];
    const read = destinations[name] ?? destinations[String(own?.callback_type ?? '')];
    if (read === undefined) {
      const known = [...Object.keys(destinations), 'otel', ...elsewhere];
      report(
        path,
        `${name}: no sink of this name is offered; otel, webhook and jsonl reach many tools`,
        nearest(name, known),
      );
      continue;
    }
    const more = name.startsWith('s3') ? litellm.s3_callback_params : name === 'helicone' ? general : undefined;
    const written = new Written(config.environment, own, more as Readonly<Record<string, unknown>> | undefined);
    const destination = read(written);
    if (typeof destination === 'string') {
      report(path, `${name} is not told of requests: ${destination}`);
      continue;
    }
    const takesContent = !redactsAll && (written.flag(['message_logging']) ?? true);
    const tagged =
      destination.kind === 'otlp' && langfuseTags.length > 0 ? { ...destination, langfuseTags } : destination;
    sinks.push({ name, hears, takesContent, ...hidden, destination: tagged });
  }
  // Langfuse sets spans of its own beside the collector's, in the same traces.
  const needsTraces = sinks.some(({ destination }) => destination.kind === 'otlp');
  const openTelemetry =
    found.setting ??
    (needsTraces ? { sampler: { followsCaller: true, ratio: 1 }, ignoresCaller: false, metrics: null } : null);
  return {
    settings: Object.freeze({ sinks: Object.freeze(sinks), openTelemetry, metrics: metricSettings(config) }),
    secrets: [
      ...sinks.flatMap(({ destination }) => secretsOf(destination)),
      ...headerSecrets(openTelemetry?.metrics?.headers),
    ],
  };
}

/** Each name once, with what it hears; the place is where it is named first. */
function namedCallbacks(config: Config): readonly Named[] {
  const { general_settings: general, litellm_settings: litellm } = config.sections;
  const lists = [
    [litellm?.callbacks, 'all', ['litellm_settings', 'callbacks']],
    [litellm?.success_callback, 'success', ['litellm_settings', 'success_callback']],
    [litellm?.failure_callback, 'failure', ['litellm_settings', 'failure_callback']],
    [general?.success_callback, 'success', ['general_settings', 'success_callback']],
    [general?.failure_callback, 'failure', ['general_settings', 'failure_callback']],
  ] as const;
  const found = new Map<string, Named>();
  for (const [names, hears, path] of lists) {
    for (const [index, name] of (names ?? []).entries()) {
      const known = found.get(name);
      if (known === undefined) found.set(name, { name, hears, path: [...path, index] });
      else if (known.hears !== hears) known.hears = 'all';
    }
  }
  return [...found.values()];
}

export function secretsOf(destination: SinkSetting['destination']): Secret[] {
  switch (destination.kind) {
    case 'otlp':
      return headerSecrets(destination.headers);
    case 'webhook':
      return [destination.url, ...headerSecrets(destination.headers)];
    case 'helicone':
    case 'datadog':
      return [destination.key];
    case 'object_store': {
      const { secretAccessKey, sessionToken } = destination.identity;
      return sessionToken === null ? [secretAccessKey] : [secretAccessKey, sessionToken];
    }
    case 'file':
      return [];
  }
}

function headerSecrets(headers: SinkHeaders | undefined): Secret[] {
  return (headers ?? []).map(([, value]) => value);
}

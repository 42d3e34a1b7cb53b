import { Secret } from '../../core/secret.ts';
import type {
  MetricsExportSetting,
  OpenTelemetrySetting,
  OtlpSetting,
  SamplerSetting,
  SinkHeaders,
} from '../../core/sink-settings.ts';
import { headersIn, pairs, type Written } from './variables.ts';

/* The environment of OpenTelemetry (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/)
 * and LiteLLM's own names for it; what stands under `callback_settings.otel` wins. */

const endpointDefault = 'http://localhost:4318';
const langfusePath = '/api/public/otel';

export interface OpenTelemetryFound {
  readonly spans: OtlpSetting | null;
  readonly setting: OpenTelemetrySetting | null;
  /** What cannot be as it is written. */
  readonly warnings: readonly string[];
}

/** `asked`: a callback names it; else the environment decides. */
export function readOpenTelemetry(written: Written, asked: boolean, langfuseHeaders: SinkHeaders): OpenTelemetryFound {
  const none: OpenTelemetryFound = { spans: null, setting: null, warnings: [] };
  if (written.flag(['disabled'], ['OTEL_SDK_DISABLED']) === true) return none;
  const exporter = written.text(['exporter'], ['OTEL_EXPORTER'])?.toLowerCase() ?? null;
  const endpoint = written.text(['endpoint'], ['OTEL_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT']);
  const tracesEndpoint = written.text([], ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
  const metricsEndpoint = written.text([], ['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT']);
  if (!asked && exporter === null && endpoint === null && tracesEndpoint === null && metricsEndpoint === null)
    return none;

  const warnings: string[] = [];
  const protocol = (written.text(['protocol'], ['OTEL_EXPORTER_OTLP_PROTOCOL']) ?? exporter ?? '').toLowerCase();
  if (protocol.includes('grpc'))
    warnings.push('OTLP over gRPC is not offered; it is sent over HTTP as protobuf (port 4318)');
  if (exporter === 'console' || exporter === 'in_memory') {
    warnings.push(`the exporter ${exporter} is not offered; use callbacks: [jsonl] to look at records`);
    if (endpoint === null && tracesEndpoint === null) return { ...none, warnings };
  }
  const base = (endpoint ?? endpointDefault).replace(/\/+$/, '');
  const tracesUrl = tracesEndpoint ?? signalUrl(base, 'traces');
  const metricsUrl = metricsEndpoint ?? signalUrl(base, 'metrics');
  for (const url of [tracesUrl, metricsUrl]) {
    if (/^https?:\/\//i.test(url) && URL.canParse(url)) continue;
    return {
      ...none,
      warnings: [...warnings, `'${shown(url)}' is no address of a collector; expected http://host:4318`],
    };
  }
  const langfuse = new URL(tracesUrl).pathname.includes(langfusePath);
  const own = headersIn(written.text(['headers'], ['OTEL_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS']));
  const headers = langfuse && !own.some(([name]) => name === 'authorization') ? [...own, ...langfuseHeaders] : own;
  const encoding = protocol.includes('json') ? 'json' : 'protobuf';
  const timeoutMs = written.count([], ['OTEL_EXPORTER_OTLP_TIMEOUT']) ?? 10_000;
  const resource = resourceOf(written);
  const off = (signal: string) => written.text([], [`OTEL_${signal}_EXPORTER`])?.toLowerCase() === 'none';
  const spans: OtlpSetting | null = off('TRACES')
    ? null
    : {
        kind: 'otlp',
        tracesUrl,
        encoding,
        headers: [...headers, ...headersIn(written.text([], ['OTEL_EXPORTER_OTLP_TRACES_HEADERS']))],
        timeoutMs,
        flushMs: written.count([], ['OTEL_BSP_SCHEDULE_DELAY']) ?? 1_000,
        batchMax: Math.max(1, written.count([], ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE']) ?? 256),
        resource,
        langfuse,
      };
  const metrics: MetricsExportSetting | null =
    off('METRICS') || (langfuse && metricsEndpoint === null)
      ? null
      : {
          url: metricsUrl,
          encoding,
          headers: [...own, ...headersIn(written.text([], ['OTEL_EXPORTER_OTLP_METRICS_HEADERS']))],
          timeoutMs,
          intervalMs: Math.max(100, written.count([], ['OTEL_METRIC_EXPORT_INTERVAL']) ?? 60_000),
          resource,
        };
  const ignoresCaller = written.flag([], ['OTEL_IGNORE_CONTEXT_PROPAGATION']) ?? false;
  return { spans, setting: { sampler: samplerOf(written), ignoresCaller, metrics }, warnings };
}

/** A base address gets the path of the signal, one that has it already stays. */
export function signalUrl(base: string, signal: 'traces' | 'metrics'): string {
  const trimmed = base.replace(/\/v1\/(traces|metrics|logs)$/, '');
  return `${trimmed}/v1/${signal}`;
}

export function resourceOf(written: Written): Readonly<Record<string, string>> {
  const environmentName = written.text(['environment_name'], ['OTEL_ENVIRONMENT_NAME']);
  return {
    'telemetry.sdk.name': 'tollgate',
    'telemetry.sdk.language': 'nodejs',
    ...Object.fromEntries(pairs(written.text([], ['OTEL_RESOURCE_ATTRIBUTES']))),
    ...(environmentName !== null && { 'deployment.environment.name': environmentName }),
    ...langfuseEnvironment(written),
    'service.name': written.text(['service_name'], ['OTEL_SERVICE_NAME']) ?? 'litellm',
  };
}

/** Langfuse takes no name but such; anything else would lead to its default environment, as leaving it out does. */
function langfuseEnvironment(written: Written): Readonly<Record<string, string>> {
  const name = written.text(['langfuse_tracing_environment'], ['LANGFUSE_TRACING_ENVIRONMENT'])?.toLowerCase();
  const isTaken = name !== undefined && /^(?!langfuse)[a-z0-9_-]{1,40}$/.test(name);
  return isTaken ? { 'langfuse.environment': name } : {};
}

function samplerOf(written: Written): SamplerSetting {
  const name = written.text([], ['OTEL_TRACES_SAMPLER'])?.toLowerCase() ?? 'parentbased_always_on';
  const ratio = Math.min(1, written.count([], ['OTEL_TRACES_SAMPLER_ARG']) ?? 1);
  const followsCaller = name.startsWith('parentbased_');
  if (name.endsWith('always_off')) return { followsCaller, ratio: 0 };
  return { followsCaller, ratio: name.endsWith('traceidratio') ? ratio : 1 };
}

/** Without what may be a credential in it. */
function shown(url: string): string {
  return url
    .replace(/\/\/[^@/]*@/, '//')
    .replace(/\?.*$/, '')
    .slice(0, 200);
}

export function langfuseAuth(publicKey: string | null, secretKey: Secret | null): SinkHeaders {
  if (publicKey === null || secretKey === null) return [];
  const credentials = Buffer.from(`${publicKey}:${secretKey.reveal()}`).toString('base64');
  return [['authorization', new Secret(`Basic ${credentials}`)]];
}

import type { AwsIdentity } from './aws-signature.ts';
import type { Secret } from './secret.ts';

/* Where finished requests are told to beside the store, as configured: what `config/` reads and `adapters/sinks/` acts on. */

export interface SinkSetting {
  /** As callbacks name it: `otel`, `langfuse`, `helicone` …, or the operator's own name. */
  readonly name: string;
  readonly hears: 'success' | 'failure' | 'all';
  /** Whether it gets what was asked and answered. */
  readonly takesContent: boolean;
  /** Key and user stay out of what it gets. */
  readonly hidesCaller: boolean;
  /** The texts of errors, which may repeat prompts, stay out as well. */
  readonly hidesErrors?: boolean;
  readonly destination: DestinationSetting;
}

/** Header values may be credentials. */
export type SinkHeaders = readonly (readonly [name: string, value: Secret])[];

export type DestinationSetting =
  | OtlpSetting
  | HeliconeSetting
  | DatadogSetting
  | WebhookSetting
  | ObjectStoreSetting
  | FileSetting;

/** OpenTelemetry's protocol over HTTP. */
export interface OtlpSetting {
  readonly kind: 'otlp';
  readonly tracesUrl: string;
  readonly encoding: 'protobuf' | 'json';
  readonly headers: SinkHeaders;
  readonly timeoutMs: number;
  readonly flushMs: number;
  readonly batchMax: number;
  readonly resource: Readonly<Record<string, string>>;
  /** Langfuse is on the other side: it gets every request, with the attributes it knows. */
  readonly langfuse: boolean;
  /** Facts that become Langfuse's tags, by LiteLLM's names. */
  readonly langfuseTags?: readonly string[];
}

export interface HeliconeSetting {
  readonly kind: 'helicone';
  readonly baseUrl: string;
  readonly key: Secret;
}

export interface DatadogSetting {
  readonly kind: 'datadog';
  readonly url: string;
  readonly key: Secret;
  readonly source: string;
  readonly service: string;
  readonly host: string;
  readonly tags: string;
}

export interface WebhookSetting {
  readonly kind: 'webhook';
  readonly url: Secret;
  readonly headers: SinkHeaders;
  readonly format: 'json_array' | 'ndjson' | 'single';
}

/** An object store that speaks Amazon S3's words. */
export interface ObjectStoreSetting {
  readonly kind: 'object_store';
  /** `https://host[:port]`, the bucket in the path or in the host's name. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly bucketInPath: boolean;
  readonly region: string;
  readonly prefix: string;
  readonly identity: AwsIdentity;
  readonly encryption: string | null;
}

export interface FileSetting {
  readonly kind: 'file';
  readonly path: string;
  /** The file is put aside and begun anew beyond this. */
  readonly bytesMax: number;
}

/** Which requests leave spans, and how metrics travel beside them; null where nobody wants spans or metrics. */
export interface OpenTelemetrySetting {
  readonly sampler: SamplerSetting;
  /** The caller's `traceparent` is not looked at. */
  readonly ignoresCaller: boolean;
  readonly metrics: MetricsExportSetting | null;
}

export interface SamplerSetting {
  /** Follows the caller's decision where there is one. */
  readonly followsCaller: boolean;
  /** Share of the other requests, 0 to 1. */
  readonly ratio: number;
}

export interface MetricsExportSetting {
  readonly url: string;
  readonly encoding: 'protobuf' | 'json';
  readonly headers: SinkHeaders;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly resource: Readonly<Record<string, string>>;
}

export interface TelemetrySettings {
  readonly sinks: readonly SinkSetting[];
  readonly openTelemetry: OpenTelemetrySetting | null;
  readonly metrics: MetricSettings;
}

/** Which metrics exist and which labels they have; read once at start, as labels cannot change under a counter. */
export interface MetricSettings {
  /** The end user's id as a label: as many series as there are end users. */
  readonly endUser: boolean;
  readonly stream: boolean;
  /** Members of a key's or request's metadata that become labels, as written: `metadata.foo`. */
  readonly metadataLabels: readonly string[];
  /** Tags that become labels with the values true and false. */
  readonly tags: readonly string[];
  /** By metric name without `_total`: its labels, null = all of them; null = every metric there is. */
  readonly only: ReadonlyMap<string, readonly string[] | null> | null;
  /** Budgets of stored keys and teams are shown before their first request. */
  readonly budgetsFromStart: boolean;
}

export const metricSettingsDefault: MetricSettings = Object.freeze({
  endUser: false,
  stream: false,
  metadataLabels: [],
  tags: [],
  only: null,
  budgetsFromStart: false,
});

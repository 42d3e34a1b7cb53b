import type { Collected } from '../../../test/collector/collector.ts';
import { strictlyDecoded, strictlyReadJson, traceRequest } from '../../../test/collector/schema.ts';
import { sinkContract } from '../../../test/contract/sink.ts';
import { Secret } from '../../core/secret.ts';
import type { OtlpSetting } from '../../core/sink-settings.ts';

const otlp = (url: string, changes: Partial<OtlpSetting> = {}): OtlpSetting => ({
  kind: 'otlp',
  tracesUrl: `${url}/v1/traces`,
  encoding: 'protobuf',
  headers: [],
  timeoutMs: 10_000,
  flushMs: 1_000,
  batchMax: 10,
  resource: { 'service.name': 'test' },
  langfuse: false,
  ...changes,
});

/** The id that stands on the span of each request; attempts have none. */
function idsOfSpans(request: unknown): string[] {
  const text = JSON.stringify(request);
  return [...text.matchAll(/"tollgate\.request_id","value":\{"stringValue":"([^"]+)"/g)].map((match) => match[1]!);
}
const inProtobuf = ({ body }: Collected) => idsOfSpans(strictlyDecoded(traceRequest, body));
const inJson = ({ body }: Collected) => idsOfSpans(strictlyReadJson(traceRequest, body.toString()));
const idOf = (payload: unknown) => (payload as { id: string }).id;
const inLines = ({ body }: Collected) =>
  body
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => idOf(JSON.parse(line)));

sinkContract({ name: 'otlp in protobuf', setting: (url) => otlp(url), ids: inProtobuf, path: /^\/v1\/traces$/ });
sinkContract({
  name: 'otlp in JSON',
  setting: (url) => otlp(url, { encoding: 'json' }),
  ids: inJson,
  path: /^\/v1\/traces$/,
});
sinkContract({
  name: 'langfuse',
  setting: (url) => otlp(url, { langfuse: true, tracesUrl: `${url}/api/public/otel/v1/traces` }),
  ids: inProtobuf,
  path: /^\/api\/public\/otel\/v1\/traces$/,
});
sinkContract({
  name: 'helicone',
  setting: (url) => ({ kind: 'helicone', baseUrl: url, key: new Secret('sk-helicone') }),
  ids: ({ body }) => [
    (JSON.parse(body.toString()) as { providerRequest: { meta: Record<string, string> } }).providerRequest.meta[
      'Helicone-Request-Id'
    ]!,
  ],
  path: /^\/oai\/v1\/log$/,
});
sinkContract({
  name: 'datadog',
  setting: (url) => ({
    kind: 'datadog',
    url: `${url}/api/v2/logs`,
    key: new Secret('dd-key'),
    source: 'litellm',
    service: 'gateway',
    host: 'here',
    tags: 'env:test',
  }),
  ids: ({ body }) =>
    (JSON.parse(body.toString()) as { message: string }[]).map(({ message }) => idOf(JSON.parse(message))),
  path: /^\/api\/v2\/logs$/,
});
for (const format of ['json_array', 'ndjson', 'single'] as const) {
  sinkContract({
    name: `webhook, ${format}`,
    setting: (url) => ({ kind: 'webhook', url: new Secret(`${url}/hook?token=secret`), headers: [], format }),
    ids: (call) =>
      format === 'json_array' ? (JSON.parse(call.body.toString()) as unknown[]).map(idOf) : inLines(call),
    path: /^\/hook\?token=secret$/,
  });
}
sinkContract({
  name: 'object store',
  setting: (url) => ({
    kind: 'object_store',
    endpoint: url,
    bucket: 'logs',
    bucketInPath: true,
    region: 'eu-central-1',
    prefix: 'gateway/requests',
    identity: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: new Secret('secret'), sessionToken: null },
    encryption: 'AES256',
  }),
  ids: inLines,
  path: /^\/logs\/gateway\/requests\/\d{4}-\d\d-\d\d\/\d\d-\d\d-\d\d-test-\d{6}\.jsonl$/,
});

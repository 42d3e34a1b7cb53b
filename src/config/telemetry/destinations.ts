import { hostname } from 'node:os';
import type { DestinationSetting, OtlpSetting } from '../../core/sink-settings.ts';
import { langfuseAuth, resourceOf, signalUrl } from './open-telemetry.ts';
import { baseUrl, headersIn, headersOf, type Written } from './variables.ts';

/** Where a callback leads, or a sentence on what is missing. */
export type Found = DestinationSetting | string;

export type ReadDestination = (written: Written) => Found;

/** Destinations by the names that callbacks have. Every value may be written in the configuration or in the environment. */
export const destinations: Readonly<Record<string, ReadDestination>> = {
  langfuse,
  langfuse_otel: langfuse,
  helicone,
  datadog,
  datadog_llm_observability: datadog,
  webhook,
  generic_api: webhook,
  s3: objectStore,
  s3_v2: objectStore,
  jsonl: file,
};

function langfuse(written: Written): OtlpSetting | string {
  const publicKey = written.text(['langfuse_public_key', 'public_key'], ['LANGFUSE_PUBLIC_KEY']);
  const secretKey = written.secret(['langfuse_secret_key', 'langfuse_secret', 'secret_key'], ['LANGFUSE_SECRET_KEY']);
  if (publicKey === null || secretKey === null) return 'LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are needed';
  const host = langfuseHost(written);
  if (host === null) return 'LANGFUSE_HOST is no address';
  return {
    kind: 'otlp',
    tracesUrl: signalUrl(`${host}/api/public/otel`, 'traces'),
    encoding: 'protobuf',
    headers: [...langfuseAuth(publicKey, secretKey)],
    timeoutMs: 10_000,
    flushMs: 1_000,
    batchMax: 256,
    resource: resourceOf(written),
    langfuse: true,
  };
}

export function langfuseHost(written: Written): string | null {
  const names = ['LANGFUSE_HOST', 'LANGFUSE_OTEL_HOST', 'LANGFUSE_BASE_URL'];
  return baseUrl(written.text(['langfuse_host', 'host'], names) ?? 'https://cloud.langfuse.com');
}

function helicone(written: Written): Found {
  const key = written.secret(['helicone_api_key', 'api_key'], ['HELICONE_API_KEY']);
  if (key === null) return 'HELICONE_API_KEY is needed';
  const url = baseUrl(
    written.text(['helicone_api_base', 'api_base'], ['HELICONE_API_BASE']) ?? 'https://api.helicone.ai',
  );
  return url === null ? 'HELICONE_API_BASE is no address' : { kind: 'helicone', baseUrl: url, key };
}

function datadog(written: Written): Found {
  const key = written.secret(['datadog_api_key', 'api_key'], ['DD_API_KEY']);
  if (key === null) return 'DD_API_KEY is needed';
  const site = written.text(['datadog_site', 'site'], ['DD_SITE']) ?? 'datadoghq.com';
  const url = baseUrl(
    written.text(['datadog_base_url', 'base_url'], ['DD_BASE_URL']) ?? `https://http-intake.logs.${site}`,
  );
  if (url === null) return 'DD_SITE and DD_BASE_URL give no address';
  const environmentName = written.text(['env'], ['DD_ENV']);
  const version = written.text(['version'], ['DD_VERSION']);
  const tags = [
    ...(environmentName === null ? [] : [`env:${environmentName}`]),
    ...(version === null ? [] : [`version:${version}`]),
    ...(written.text(['tags'], ['DD_TAGS'])?.split(',') ?? []),
  ];
  return {
    kind: 'datadog',
    url: `${url}/api/v2/logs`,
    key,
    source: written.text(['source'], ['DD_SOURCE']) ?? 'litellm',
    service: written.text(['service'], ['DD_SERVICE']) ?? 'litellm-server',
    host: written.text(['hostname'], ['HOSTNAME']) ?? hostname(),
    tags: tags.map((tag) => tag.trim()).join(','),
  };
}

function webhook(written: Written): Found {
  const url = written.secret(['endpoint', 'url'], ['GENERIC_LOGGER_ENDPOINT']);
  if (url === null) return 'an endpoint is needed: GENERIC_LOGGER_ENDPOINT, or `endpoint` under callback_settings';
  if (!/^https?:\/\//i.test(url.reveal()) || !URL.canParse(url.reveal())) return 'its endpoint is no address';
  const format = written.text(['log_format']) ?? 'json_array';
  if (format !== 'json_array' && format !== 'ndjson' && format !== 'single') {
    return `log_format is '${format.slice(0, 40)}'; expected json_array, ndjson or single`;
  }
  const headers = [...headersIn(written.text([], ['GENERIC_LOGGER_HEADERS'])), ...headersOf(written.map('headers'))];
  return { kind: 'webhook', url, headers, format };
}

function objectStore(written: Written): Found {
  const bucket = written.text(['s3_bucket_name', 'bucket'], ['S3_BUCKET_NAME']);
  if (bucket === null) return 's3_bucket_name is needed, under litellm_settings.s3_callback_params';
  const region = written.text(['s3_region_name', 'region'], ['AWS_REGION', 'AWS_DEFAULT_REGION']) ?? 'us-east-1';
  const accessKeyId = written.text(['s3_aws_access_key_id', 'aws_access_key_id'], ['AWS_ACCESS_KEY_ID']);
  const secretAccessKey = written.secret(
    ['s3_aws_secret_access_key', 'aws_secret_access_key'],
    ['AWS_SECRET_ACCESS_KEY'],
  );
  if (accessKeyId === null || secretAccessKey === null) {
    return 's3_aws_access_key_id and s3_aws_secret_access_key (or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) are needed';
  }
  const own = written.text(['s3_endpoint_url', 'endpoint_url'], ['AWS_ENDPOINT_URL_S3']);
  const endpoint = own === null ? `https://s3.${region}.amazonaws.com` : baseUrl(own);
  if (endpoint === null) return 's3_endpoint_url is no address';
  return {
    kind: 'object_store',
    endpoint,
    bucket,
    // Stores of one's own seldom have a name for each bucket; a dot in a bucket's name breaks its certificate.
    bucketInPath: written.flag(['s3_use_virtual_hosted_style']) !== true && (own !== null || bucket.includes('.')),
    region,
    prefix: written.text(['s3_path', 'prefix']) ?? '',
    identity: {
      accessKeyId,
      secretAccessKey,
      sessionToken: written.secret(['s3_aws_session_token', 'aws_session_token'], ['AWS_SESSION_TOKEN']),
    },
    encryption: written.text(['s3_server_side_encryption']),
  };
}

function file(written: Written): Found {
  return {
    kind: 'file',
    path: written.text(['path'], ['TOLLGATE_JSONL_PATH']) ?? './requests.jsonl',
    bytesMax: (written.count(['max_mb']) ?? 256) * 1024 * 1024,
  };
}

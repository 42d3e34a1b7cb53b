import { describe, expect, it } from 'vitest';
import type { OtlpSetting, SinkSetting } from '../../core/sink-settings.ts';
import { loadConfigText } from '../load.ts';
import { ownSinkSetting } from './own-sink.ts';
import { telemetrySettings } from './telemetry-settings.ts';

function read(yaml: string, environment: Record<string, string> = {}) {
  const { config } = loadConfigText(`model_list: []\n${yaml}`, 'config.yaml', environment);
  const reports: string[] = [];
  const { settings, secrets } = telemetrySettings(config!, (path, message) => {
    reports.push(`${path.join('.')}: ${message}`);
  });
  const sink = (name: string) => settings.sinks.find((one) => one.name === name) as SinkSetting;
  return { settings, secrets: secrets.map((secret) => secret.reveal()), reports, sink };
}
const langfuse = { LANGFUSE_PUBLIC_KEY: 'pk', LANGFUSE_SECRET_KEY: 'sk-lf' };
const otlp = (sink: SinkSetting) => sink.destination as OtlpSetting;

describe('OpenTelemetry by environment', () => {
  it('is off while nobody asks for it', () => {
    expect(read('').settings).toMatchObject({ sinks: [], openTelemetry: null });
    const off = { OTEL_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'true' };
    expect(read('litellm_settings: {callbacks: [otel]}', off).settings.sinks).toEqual([]);
  });

  it('knows the names of the reference deployment: Langfuse gets its keys, and no metrics', () => {
    const { sink, settings } = read('', {
      ...langfuse,
      OTEL_EXPORTER: 'otlp_http',
      OTEL_ENDPOINT: 'http://langfuse:3000/api/public/otel',
      OTEL_SERVICE_NAME: 'litellm-proxy',
    });
    expect(otlp(sink('otel'))).toMatchObject({
      tracesUrl: 'http://langfuse:3000/api/public/otel/v1/traces',
      encoding: 'protobuf',
      langfuse: true,
      resource: { 'service.name': 'litellm-proxy' },
    });
    expect(otlp(sink('otel')).headers[0]![1].reveal()).toBe(`Basic ${Buffer.from('pk:sk-lf').toString('base64')}`);
    expect(settings.openTelemetry!.metrics).toBeNull();
    expect(sink('otel')).toMatchObject({ hears: 'all', takesContent: false });
  });

  it('knows the standard names, for each signal', () => {
    const { sink, settings } = read('', {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://c.example.com/',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://t.example.com/in',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-token=a%20b,x-more=c',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      OTEL_RESOURCE_ATTRIBUTES: 'team=blue,service.name=lost',
    });
    expect(otlp(sink('otel'))).toMatchObject({ tracesUrl: 'https://t.example.com/in', encoding: 'json' });
    expect(otlp(sink('otel')).resource).toMatchObject({ team: 'blue', 'service.name': 'litellm' });
    expect(otlp(sink('otel')).headers.map(([name, value]) => [name, value.reveal()])).toEqual([
      ['x-token', 'a b'],
      ['x-more', 'c'],
    ]);
    expect(settings.openTelemetry).toMatchObject({
      sampler: { followsCaller: false, ratio: 0.25 },
      metrics: { url: 'https://c.example.com/v1/metrics' },
    });
  });

  it('says what cannot be', () => {
    expect(read('', { OTEL_ENDPOINT: 'http://c:4317', OTEL_EXPORTER: 'otlp_grpc' }).reports[0]).toContain('gRPC');
    const { reports, settings } = read('', { OTEL_ENDPOINT: 'collector:4318' });
    expect(reports[0]).toContain("'collector:4318/v1/traces' is no address");
    expect(settings.sinks).toEqual([]);
  });
});

describe('callbacks', () => {
  it('hear what their lists say, once each', () => {
    const { sink, settings } = read(
      'litellm_settings: {success_callback: [langfuse, helicone], failure_callback: [langfuse]}\ngeneral_settings: {success_callback: [helicone], helicone_api_key: sk-h}',
      langfuse,
    );
    expect(settings.sinks).toHaveLength(2);
    expect(sink('langfuse').hears).toBe('all');
    expect(sink('helicone').hears).toBe('success');
    expect(sink('helicone').destination).toMatchObject({ baseUrl: 'https://api.helicone.ai' });
  });

  it('that miss something, or are not known, are told and left out', () => {
    const { reports, settings } = read('litellm_settings: {callbacks: [langfuse, langfus, prometheus, s3]}');
    expect(settings.sinks).toEqual([]);
    expect(reports).toEqual([
      'litellm_settings.callbacks.0: langfuse is not told of requests: LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are needed',
      expect.stringContaining('litellm_settings.callbacks.1: langfus: no sink of this name is offered'),
      expect.stringContaining('s3_bucket_name is needed'),
    ]);
  });

  it('of the operator’s own name are webhooks, and every credential is known to the scrubber', () => {
    const { sink, secrets } = read(
      `litellm_settings: {callbacks: [audit, s3], s3_callback_params: {s3_bucket_name: b, s3_aws_access_key_id: AK, s3_aws_secret_access_key: os.environ/S3}}
callback_settings: {audit: {callback_type: generic_api, endpoint: "https://a.example.com/x?key=1", headers: {authorization: Bearer t}, log_format: ndjson, message_logging: false}}`,
      { S3: 'aws-secret' },
    );
    expect(sink('audit')).toMatchObject({ takesContent: false, destination: { kind: 'webhook', format: 'ndjson' } });
    expect(secrets).toEqual(expect.arrayContaining(['https://a.example.com/x?key=1', 'Bearer t', 'aws-secret']));
  });

  it('get no content and no caller where the operator says so', () => {
    const { sink } = read(
      'litellm_settings: {callbacks: [langfuse], turn_off_message_logging: true, redact_user_api_key_info: true}',
      langfuse,
    );
    expect(sink('langfuse')).toMatchObject({ takesContent: false, hidesCaller: true });
  });
});

it.each([
  ['Production', { 'langfuse.environment': 'production' }],
  ['staging-2', { 'langfuse.environment': 'staging-2' }],
  ['langfuse-own', {}],
  ['no spaces', {}],
])('LANGFUSE_TRACING_ENVIRONMENT=%s is told where Langfuse takes it', (LANGFUSE_TRACING_ENVIRONMENT, told) => {
  const environment = { ...langfuse, LANGFUSE_TRACING_ENVIRONMENT };
  const { destination } = read('litellm_settings: {callbacks: [langfuse]}', environment).settings.sinks[0]!;
  const { resource } = destination as OtlpSetting;
  expect(Object.fromEntries(Object.entries(resource).filter(([name]) => name.startsWith('langfuse')))).toEqual(told);
});

describe('sinks of a key’s own', () => {
  const telemetry = read('litellm_settings: {callbacks: [langfuse]}', {
    ...langfuse,
    LANGFUSE_HOST: 'http://own:3000',
  }).settings;
  const ask = (vars: Record<string, string>, name = 'langfuse') =>
    ownSinkSetting(
      { name, hears: 'all', vars },
      {
        environment: { LANGFUSE_TEAM: 'sk-team', OPENAI_API_KEY: 'sk-operator' },
        telemetry,
        hosts: ['allowed.example.com'],
        hidesCaller: false,
        open: (text) => text,
      },
    );
  const keys = { langfuse_public_key: 'pk', langfuse_secret_key: 'sk' };

  it('may go to the service, to the gateway’s own and to what is allowed', () => {
    for (const host of ['https://cloud.langfuse.com', 'http://own:3000', 'https://allowed.example.com']) {
      expect(ask({ ...keys, langfuse_host: host })).toMatchObject({
        destination: { tracesUrl: `${host}/api/public/otel/v1/traces` },
      });
    }
  });

  it('go nowhere else, and never with what is the operator’s', () => {
    expect(ask({ ...keys, langfuse_host: 'http://169.254.169.254' })).toContain('is not among the hosts');
    expect(ask({ ...keys, langfuse_secret_key: 'os.environ/OPENAI_API_KEY' })).toContain('cannot be read');
    expect(ask({ ...keys, langfuse_secret_key: 'os.environ/LANGFUSE_TEAM' })).toMatchObject({ name: 'langfuse' });
    expect(ask({ langfuse_host: 'https://cloud.langfuse.com' })).toContain('are needed');
    expect(ask({ path: '/etc/passwd' }, 'jsonl')).toContain('no sink that a key may have');
  });
});

import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase, startRedis, type TestDatabase } from '../servers/index.ts';
import { Canaries } from './support/canaries.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/*
 * Row 13: every kind of credential that a gateway knows is planted, everything that can be asked or go wrong is asked and
 * goes wrong, and then nothing that leaves the process may hold one of them: answers, log, metrics, spans and what other
 * sinks are told, the journal, and dumps of PostgreSQL and Redis. A provider and the sinks do their worst: they say the
 * credentials back. Only the one call that a credential is for may carry it.
 */
const planted = {
  openai: 'sk-canary-of-the-openai-provider',
  anthropic: 'sk-canary-of-the-anthropic-provider',
  stored: 'sk-canary-of-a-stored-model-0123',
  credential: 'sk-canary-of-a-stored-credential',
  callers: 'canary-key-that-a-caller-brought-1',
  postgres: 'canary-password-of-postgresql-01',
  redis: 'canary-password-of-redis-0123456',
  langfuse: 'sk-lf-canary-of-langfuse-01234567',
  teamLangfuse: 'sk-lf-canary-of-a-team-0123456789',
  helicone: 'sk-helicone-canary-0123456789abcd',
  datadog: 'canary-of-datadog-0123456789abcdef',
  webhook: 'canary-of-the-webhook-header-01234',
  smtp: 'canary-password-of-the-mail-server',
  s3: 'canary-secret-of-the-object-store-1',
  slack: 'canary-path-of-the-slack-webhook-01',
  otel: 'canary-header-of-the-otel-collector',
  salt: 'sk-canary-of-the-salt-key-0123456789',
} as const;

interface Heard {
  readonly path: string;
  readonly headers: string;
  readonly body: string;
}

let database: TestDatabase;
let redis: Awaited<ReturnType<typeof startRedis>>;
let provider: Server;
let listener: Server;
let gateway: GatewayProcess;
const role = `canary_${process.pid}`;
const heard: Heard[] = [];
const answers: string[] = [];
const canaries = new Canaries([...Object.values(planted), masterKey]);

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function bodyOf(request: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

/** Says back whatever it was given as a credential, in whatever form the caller's words ask for. */
async function startProvider(): Promise<string> {
  provider = createServer(async (request, response) => {
    const body = await bodyOf(request);
    const key = request.headers.authorization ?? `x ${request.headers['x-api-key']}`;
    const said = {
      message: `Incorrect API key provided: ${key.split(' ')[1]}`,
      type: 'invalid_request_error',
      code: key,
    };
    if (body.includes('page')) {
      response.writeHead(502, { 'content-type': 'text/html', 'x-key': key });
      response.end(`<html><body>bad gateway for ${key}</body></html>`);
    } else if (body.includes('garbage')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(`{"id": "${key}`);
    } else if (body.includes('well')) {
      const message = { role: 'assistant', content: 'Very well.' };
      const usage = { prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 };
      const answer = { id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'm', usage };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ ...answer, choices: [{ index: 0, finish_reason: 'stop', message }] }));
    } else {
      response.writeHead(body.includes('limited') ? 429 : 401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: said }));
    }
  });
  return listening(provider);
}

/** Every sink at once: remembers what it was told, and answers with the credentials. */
async function startListener(): Promise<string> {
  listener = createServer(async (request, response) => {
    const headers = JSON.stringify(request.headers);
    heard.push({ path: request.url ?? '', headers, body: await bodyOf(request) });
    response.writeHead(heard.length % 3 === 0 ? 403 : 200, { 'content-type': 'text/plain' }).end(`denied: ${headers}`);
  });
  return listening(listener);
}

beforeAll(async () => {
  database = await freshDatabase();
  redis = await startRedis({ password: planted.redis });
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  await admin.query(`create role ${role} login superuser password '${planted.postgres}'`);
  await admin.end();
  const asRole = new URL(database.url);
  asRole.username = role;
  asRole.password = planted.postgres;
  const [upstream, sinks] = [await startProvider(), await startListener()];
  gateway = await startGateway({
    env: {
      DATABASE_URL: asRole.href,
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: String(redis.port),
      REDIS_PASSWORD: planted.redis,
      LITELLM_SALT_KEY: planted.salt,
      LITELLM_LOG: 'DEBUG',
      OPENAI_CANARY: planted.openai,
      LANGFUSE_PUBLIC_KEY: 'pk-lf-public',
      LANGFUSE_SECRET_KEY: planted.langfuse,
      LANGFUSE_HOST: sinks,
      HELICONE_API_KEY: planted.helicone,
      HELICONE_API_BASE: sinks,
      DD_API_KEY: planted.datadog,
      DD_SITE: 'datadoghq.invalid',
      GENERIC_LOGGER_ENDPOINT: `${sinks}/generic`,
      GENERIC_LOGGER_HEADERS: `x-secret=${planted.webhook}`,
      OTEL_ENDPOINT: sinks,
      OTEL_HEADERS: `x-otel=${planted.otel}`,
      SLACK_WEBHOOK_URL: `${sinks}/services/${planted.slack}`,
      SMTP_HOST: '127.0.0.1',
      SMTP_PORT: String((listener.address() as AddressInfo).port),
      SMTP_USERNAME: 'mail',
      SMTP_PASSWORD: planted.smtp,
      SMTP_SENDER_EMAIL: 'gateway@example.com',
      ALERT_EMAIL_TO: 'ops@example.com',
    },
    config: `
model_list:
  - model_name: gpt
    litellm_params: { model: openai/gpt, api_base: "${upstream}/v1", api_key: os.environ/OPENAI_CANARY, input_cost_per_token: 0.001, output_cost_per_token: 0.001 }
  - model_name: claude
    litellm_params: { model: anthropic/claude, api_base: "${upstream}", api_key: "${planted.anthropic}" }
  - model_name: gone
    litellm_params: { model: openai/gone, api_base: "http://user:${planted.credential}@127.0.0.1:9/v1?key=${planted.credential}", api_key: "${planted.openai}" }
  - model_name: open
    litellm_params: { model: openai/open, api_base: "${upstream}/v1", api_key: "${planted.openai}", configurable_clientside_auth_params: [api_key] }
router_settings: { num_retries: 0 }
litellm_settings:
  callbacks: [langfuse, helicone, datadog, generic_api, s3, otel, jsonl]
  cache: true
  s3_callback_params: { s3_bucket_name: logs, s3_region_name: eu-west-1, s3_endpoint_url: "${sinks}", s3_aws_access_key_id: AKIDEXAMPLE, s3_aws_secret_access_key: "${planted.s3}" }
callback_settings: { jsonl: { path: told.jsonl }, otel: { message_logging: true } }
general_settings:
  store_model_in_db: true
  store_prompts_in_spend_logs: true
  alerting: [slack, webhook, email]
  sink_hosts: ["127.0.0.1"]
`,
  });
});

afterAll(async () => {
  await gateway?.stop();
  provider?.close();
  listener?.close();
  await redis?.close();
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  await admin.query(`drop owned by ${role} cascade`);
  await admin.end();
  await database?.drop();
});

/** An answer that the operator or a caller reads; it is searched in the end. */
async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(gateway.url + path, {
    method,
    headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  answers.push(`${method} ${path} ${response.status} ${JSON.stringify([...response.headers])} ${text}`);
  return { status: response.status, text };
}

async function makeKey(body: unknown): Promise<string> {
  const response = await gateway.post('/key/generate', body);
  const answer = await response.text();
  canaries.plantKey(answer);
  return (JSON.parse(answer) as { key: string }).key;
}

it('asks everything that may bring a credential out', async () => {
  const team = JSON.parse((await ask('POST', '/team/new', { team_alias: 'blue' })).text) as { team_id: string };
  await ask('POST', `/team/${team.team_id}/callback`, {
    callback_name: 'langfuse',
    callback_vars: {
      langfuse_public_key: 'pk-lf-team',
      langfuse_secret_key: planted.teamLangfuse,
      langfuse_host: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    },
  });
  await ask('GET', `/team/${team.team_id}/callback`);
  const key = await makeKey({ team_id: team.team_id, key_alias: 'blue', max_budget: 1, soft_budget: 0.001 });
  const blocked = await makeKey({ blocked: true });
  await ask('POST', '/debug/requests', { by: 'key', value: 'blue', minutes: 5 });
  await ask('POST', '/credentials', {
    credential_name: 'kept',
    credential_values: { api_key: planted.credential },
    credential_info: {},
  });
  await ask('POST', '/model/new', {
    model_name: 'stored',
    litellm_params: { model: 'openai/stored', api_key: planted.stored, api_base: 'http://127.0.0.1:9/v1' },
  });
  const bearer = { authorization: `Bearer ${key}` };
  const formats = {
    '/v1/chat/completions': (model: string, text: string) => ({ model, messages: [{ role: 'user', content: text }] }),
    '/v1/messages': (model: string, text: string) => ({
      model,
      max_tokens: 9,
      messages: [{ role: 'user', content: text }],
    }),
    '/v1/responses': (model: string, text: string) => ({ model, input: text }),
    '/v2/chat': (model: string, text: string) => ({ model, messages: [{ role: 'user', content: text }] }),
    '/api/chat': (model: string, text: string) => ({ model, messages: [{ role: 'user', content: text }] }),
  };
  for (const [path, bodyFor] of Object.entries(formats)) {
    for (const model of ['gpt', 'claude', 'gone', 'stored', 'nowhere']) {
      for (const text of ['denied', 'page', 'garbage', 'limited', 'well']) {
        if (model !== 'gpt' && text !== 'denied') continue;
        await ask('POST', path, bodyFor(model, text), bearer);
        await ask('POST', path, { ...bodyFor(model, text), stream: true }, bearer);
      }
    }
    await ask('POST', path, bodyFor('gpt', 'well'), { authorization: `Bearer ${blocked}` });
    await ask('POST', path, bodyFor('gpt', 'well'), { authorization: `Bearer ${key}x` });
    await ask('POST', path, `{"model": "gpt", "messages": [${key}`, bearer);
  }
  const withKey = { ...formats['/v1/chat/completions']('open', 'denied'), api_key: planted.callers };
  await ask('POST', '/v1/chat/completions', withKey, bearer);
  await ask('POST', '/v1/chat/completions', { ...withKey, model: 'gpt' }, bearer);
  await ask(
    'POST',
    `/v1beta/models/gpt:generateContent?key=${key}`,
    { contents: [{ parts: [{ text: 'denied' }] }] },
    {
      authorization: '',
    },
  );
  await ask('POST', '/utils/transform_request', {
    call_type: 'completion',
    request_body: formats['/v1/chat/completions']('gpt', 'x'),
  });
  await ask('POST', '/health/test_connection', {
    litellm_params: { model: 'openai/x', api_key: planted.stored, api_base: 'http://127.0.0.1:9' },
  });
  await ask('POST', '/config/update', {
    litellm_settings: { drop_params: true },
    environment_variables: { X_CANARY: planted.stored },
  });
  const rotated = await gateway.post('/key/regenerate', { key, grace_period: '1h' });
  canaries.plantKey(await rotated.text());
  const paths = [
    ...['/health', '/health/readiness', '/health/services?service=langfuse', '/health/latest', '/health/history'],
    ...[
      '/model/info',
      '/v2/model/info',
      '/v1/models',
      '/model_group/info',
      '/credentials',
      '/credentials/by_name/kept',
    ],
    ...[
      '/get/config/callbacks',
      '/config/list',
      '/router/settings',
      '/key/list?return_full_object=true',
      '/key/aliases',
    ],
    ...[
      '/team/list',
      `/team/info?team_id=${team.team_id}`,
      '/audit',
      '/spend/logs',
      '/spend/logs/v2',
      '/usage/requests',
    ],
    ...['/debug/requests', '/metrics', '/openapi.json', '/', '/cache/ping', '/cache/redis/info', '/provider/budgets'],
    `/key/info?key=${blocked}`,
  ];
  for (const path of paths) await ask('GET', path);
  const listed = JSON.parse((await ask('GET', '/usage/requests?limit=500')).text) as { requests: { id: string }[] };
  expect(listed.requests.length).toBeGreaterThan(60);
  for (const { id } of listed.requests.slice(0, 80)) await ask('GET', `/usage/requests/${id}`);
  expect(answers.filter((answer) => / 200 \[/.test(answer)).length).toBeGreaterThan(80);
});

it('none of it has left: answers, sinks, log, journal, PostgreSQL, Redis, command line', async () => {
  // `/key/info?key=…` and an unknown key are told back as they were given; this is their reader.
  const texts: Record<string, string> = {};
  for (const [index, answer] of answers.entries()) {
    const asked = answer.slice(0, answer.indexOf(' ['));
    texts[`answer ${index} to ${asked.replace(/sk-\S+/g, '…')}`] = answer.slice(answer.indexOf(' ['));
  }
  for (let turn = 0; turn < 60 && new Set(heard.map(({ path }) => path.split('/')[1])).size < 5; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const told = new Set(heard.map(({ path }) => path));
  expect([...told].join(' ')).toMatch(/\/api\/public\/otel/);
  expect([...told].join(' ')).toMatch(/\/v1\/traces/);
  expect([...told].join(' ')).toMatch(/generic/);
  for (const [index, { path, body }] of heard.entries())
    texts[`body ${index} to sink ${path.split('?')[0]!.slice(0, 20)}`] = body;
  texts.log = gateway.log();
  texts['command line'] = readFileSync(`/proc/${gateway.child.pid}/cmdline`, 'utf8');
  texts.PostgreSQL = await postgresDump();
  texts.Redis = await redisDump();
  expect(texts.PostgreSQL.length).toBeGreaterThan(10_000);
  expect(texts.Redis.length).toBeGreaterThan(100);
  const ownAnswer = Object.keys(texts).find((name) => name.includes('/key/info?key='))!;
  delete texts[ownAnswer];
  canaries.expectNone(texts, gateway.folder.concat('/data'));
});

async function postgresDump(): Promise<string> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    "select quote_ident(tablename) as name from pg_tables where schemaname = 'public'",
  );
  let dump = '';
  for (const { name } of rows) {
    const content = await client.query<{ line: string }>(
      `select row_to_json(content)::text as line from ${name} as content`,
    );
    dump += `${name}\n${content.rows.map(({ line }) => line).join('\n')}\n`;
  }
  await client.end();
  return dump;
}

async function redisDump(): Promise<string> {
  const client = new Redis({ host: '127.0.0.1', port: redis.port, password: planted.redis });
  let dump = '';
  for (const key of await client.keys('*')) {
    dump += `${key}\n`;
    const type = await client.type(key);
    if (type === 'string') dump += (await client.getBuffer(key))?.toString('latin1') ?? '';
    else if (type === 'hash') dump += JSON.stringify(await client.hgetall(key));
    else if (type === 'zset') dump += (await client.zrange(key, '0', '-1')).join('\n');
    else if (type === 'list') dump += (await client.lrange(key, 0, -1)).join('\n');
    else if (type === 'set') dump += (await client.smembers(key)).join('\n');
    else dump += JSON.stringify(await client.xrange(key, '-', '+').catch(() => []));
  }
  client.disconnect();
  return dump;
}

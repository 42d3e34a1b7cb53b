import { createVerify, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { providerContract } from '../../test/contract/provider.ts';
import { tokenWorld } from '../../test/token-world.ts';
import { awsFrame } from '../core/aws-event-stream.ts';
import type { ConnectionSettings } from '../core/provider.ts';
import { Secret } from '../core/secret.ts';
import { databricks } from './databricks/index.ts';
import { gigachat } from './gigachat/index.ts';
import { oci } from './oci/index.ts';
import { sagemaker } from './sagemaker/index.ts';
import { snowflake } from './snowflake/index.ts';
import { watsonx } from './watsonx/index.ts';

/* Providers that want more than a key in a header: who calls is exchanged for a token, or signs. */

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;

function connection(more: Partial<ConnectionSettings>): ConnectionSettings {
  return {
    baseUrl: null,
    credential: null,
    model: 'some-model',
    apiVersion: null,
    organization: null,
    extra: {},
    headers: {},
    environment: {},
    ...more,
  };
}

providerContract(databricks, [
  {
    settings: { baseUrl: 'https://dbc-1.cloud.databricks.com' },
    dialect: 'openai-chat',
    model: 'databricks-meta-llama-3-3-70b-instruct',
    address: 'https://dbc-1.cloud.databricks.com/serving-endpoints/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  {
    settings: { baseUrl: 'https://dbc-1.cloud.databricks.com/serving-endpoints' },
    dialect: 'openai-embeddings',
    model: 'databricks-gte-large-en',
    address: 'https://dbc-1.cloud.databricks.com/serving-endpoints/embeddings',
  },
]);

providerContract(watsonx, [
  {
    dialect: 'openai-chat',
    model: 'ibm/granite-3-8b-instruct',
    address: 'https://us-south.ml.cloud.ibm.com/ml/v1/text/chat?version=2025-02-06',
  },
  {
    settings: { baseUrl: 'https://eu-de.ml.cloud.ibm.com', apiVersion: '2025-10-01' },
    dialect: 'openai-chat',
    model: 'deployment/my-1',
    address: 'https://eu-de.ml.cloud.ibm.com/ml/v1/deployments/my-1/text/chat?version=2025-10-01',
  },
]);

providerContract(snowflake, [
  {
    settings: { extra: { account_id: 'org-acct' } },
    dialect: 'openai-chat',
    model: 'llama3.1-70b',
    address: 'https://org-acct.snowflakecomputing.com/api/v2/cortex/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  {
    settings: { extra: { account_id: 'org-acct' }, credential: new Secret('pat/sk-canary-credential-42') },
    dialect: 'anthropic-messages',
    model: 'claude-sonnet-4-5',
    address: 'https://org-acct.snowflakecomputing.com/api/v2/cortex/v1/messages',
    headers: {
      authorization: 'Bearer sk-canary-credential-42',
      'x-snowflake-authorization-token-type': 'PROGRAMMATIC_ACCESS_TOKEN',
    },
  },
]);

providerContract(oci, [
  {
    settings: { extra: { oci_region: 'us-chicago-1', oci_compartment_id: 'ocid1.compartment.oc1..x' } },
    dialect: 'openai-chat',
    model: 'meta.llama-3.3-70b-instruct',
    address: 'https://inference.generativeai.us-chicago-1.oci.oraclecloud.com/openai/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42', compartmentid: 'ocid1.compartment.oc1..x' },
  },
  {
    settings: { extra: { oci_region: 'us-chicago-1', oci_project_id: 'ocid1.generativeaiproject.oc1..x' } },
    dialect: 'openai-responses',
    model: 'openai.gpt-oss-120b',
    address: 'https://inference.generativeai.us-chicago-1.oci.oraclecloud.com/openai/v1/responses',
    headers: { 'openai-project': 'ocid1.generativeaiproject.oc1..x' },
  },
]);

providerContract(gigachat, [
  {
    dialect: 'gigachat-chat',
    model: 'GigaChat-2-Max',
    address: 'https://gigachat.devices.sberbank.ru/api/v1/chat/completions',
  },
  {
    dialect: 'openai-embeddings',
    model: 'Embeddings',
    address: 'https://gigachat.devices.sberbank.ru/api/v1/embeddings',
  },
]);

providerContract(sagemaker, [
  {
    settings: { extra: { aws_region_name: 'eu-west-1' } },
    dialect: 'openai-chat',
    model: 'my-endpoint',
    address: 'https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/my-endpoint/invocations',
  },
]);

describe('databricks', () => {
  it('is called as a service principal, whose token is fetched once', async () => {
    const world = tokenWorld({
      'https://dbc-1.cloud.databricks.com/oidc/v1/token': JSON.stringify({ access_token: 'dapi', expires_in: 3600 }),
    });
    const settings = { baseUrl: 'https://dbc-1.cloud.databricks.com', extra: { client_id: 'c', client_secret: 's' } };
    const endpoint = databricks.endpoint(connection(settings));
    expect(await endpoint.authorize!(world.call, world.outside)).toEqual(['authorization', 'Bearer dapi']);
    expect(world.asked[0]!.headers).toContain(`Basic ${Buffer.from('c:s').toString('base64')}`);
    await endpoint.authorize!(world.call, world.outside);
    expect(world.asked).toHaveLength(1);
  });
});

describe('watsonx', () => {
  it('exchanges its key for a token, and names model and project in the body', async () => {
    const world = tokenWorld({
      'https://iam.cloud.ibm.com/identity/token': JSON.stringify({ access_token: 'iam', expires_in: 3600 }),
    });
    const endpoint = watsonx.endpoint(connection({ credential: new Secret('ibm-key'), extra: { project_id: 'p-1' } }));
    expect(await endpoint.authorize!(world.call, world.outside)).toEqual(['authorization', 'Bearer iam']);
    expect(new URLSearchParams(world.asked[0]!.body!).get('apikey')).toBe('ibm-key');
    const call = { dialect: 'openai-chat', stream: true, body: { model: 'm', stream: true }, headers: {} } as const;
    const edits = endpoint.edits!({ ...call, model: 'ibm/granite' });
    expect(Object.fromEntries(edits)).toEqual({
      model: undefined,
      stream: undefined,
      stream_options: undefined,
      model_id: 'ibm/granite',
      project_id: 'p-1',
    });
    expect(Object.keys(Object.fromEntries(endpoint.edits!({ ...call, model: 'deployment/d' })))).not.toContain(
      'model_id',
    );
    expect(endpoint.path('openai-chat', 'm', true)).toBe('/ml/v1/text/chat_stream?version=2025-02-06');
  });
});

describe('snowflake', () => {
  it('signs a token with a private key', async () => {
    const world = tokenWorld({});
    const extra = { account_id: 'org-acct.eu', snowflake_user: 'me', snowflake_private_key: pem };
    const made = await snowflake.endpoint(connection({ extra })).authorize!(world.call, world.outside);
    expect(made.slice(2)).toEqual(['x-snowflake-authorization-token-type', 'KEYPAIR_JWT']);
    const [header, claims, signature] = made[1]!.slice('Bearer '.length).split('.') as [string, string, string];
    const isGenuine = createVerify('sha256').update(`${header}.${claims}`);
    expect(isGenuine.verify(publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
    const { iss, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { iss: string; sub: string };
    expect(sub).toBe('ORG-ACCT.ME');
    expect(iss).toMatch(/^ORG-ACCT\.ME\.SHA256:[A-Za-z0-9+/]{43}=$/);
    const broken = { ...extra, snowflake_private_key: 'nonsense' };
    const refused = snowflake.endpoint(connection({ extra: broken })).authorize!(world.call, world.outside);
    await expect(refused).rejects.toThrow('snowflake_private_key cannot be read: expected PEM');
  });
});

describe('oci', () => {
  it('asks the models of OpenAI as OpenAI is asked', () => {
    expect(oci.traits('openai.gpt-5').reasoningModel).toBe(true);
    expect(oci.traits('openai.gpt-oss-120b').reasoningModel).toBe(false);
    expect(oci.traits('meta.llama-3.3-70b-instruct').reasoningModel).toBe(false);
  });

  const names = { oci_tenancy: 't', oci_user: 'u', oci_fingerprint: 'aa:bb' };

  it('signs every call over what goes over the wire', async () => {
    const { call, outside } = tokenWorld({ '/keys/oci.pem': pem });
    for (const extra of [
      { ...names, oci_key: pem.replaceAll('\n', '\\n') },
      { ...names, oci_key_file: '/keys/oci.pem' },
    ]) {
      const made = await oci.endpoint(connection({ extra })).authorize!(call, outside);
      const headers = Object.fromEntries(made.flatMap((name, at) => (at % 2 === 0 ? [[name, made[at + 1]!]] : [])));
      expect(headers.date).toBe('Fri, 02 Jan 2026 03:04:05 GMT');
      expect(headers.authorization).toContain('keyId="t/u/aa:bb"');
      const signature = /signature="([^"]+)"/.exec(headers.authorization!)![1]!;
      const text = [
        `date: ${headers.date}`,
        '(request-target): post /v1/chat/completions',
        'host: provider.example',
        `content-length: ${call.body.length}`,
        'content-type: application/json',
        `x-content-sha256: ${headers['x-content-sha256']}`,
      ].join('\n');
      expect(createVerify('sha256').update(text).verify(publicKey, Buffer.from(signature, 'base64'))).toBe(true);
    }
  });

  it('says which key cannot be read', () => {
    const { call, outside } = tokenWorld({});
    const endpoint = oci.endpoint(connection({ extra: { ...names, oci_key: 'nonsense' } }));
    expect(() => endpoint.authorize!(call, outside)).toThrow('oci_key cannot be read: expected a private key in PEM');
  });
});

describe('gigachat', () => {
  it('exchanges its credentials for a token with an end of its own', async () => {
    const end = Date.UTC(2026, 0, 2, 3, 34, 5);
    const world = tokenWorld({
      'https://ngw.devices.sberbank.ru:9443/': JSON.stringify({ access_token: 'giga', expires_at: end }),
    });
    const endpoint = gigachat.endpoint(connection({ credential: new Secret('Y3JlZA==') }));
    expect(await endpoint.authorize!(world.call, world.outside)).toEqual(['authorization', 'Bearer giga']);
    expect(world.asked[0]!.headers.join(' ')).toMatch(
      /Basic Y3JlZA== rquid [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}/,
    );
    expect(world.asked[0]!.body).toBe('scope=GIGACHAT_API_PERS');
  });
});

describe('sagemaker', () => {
  const keys = { aws_access_key_id: 'AKID', aws_secret_access_key: 's', aws_region_name: 'eu-west-1' };

  it('signs for its own service', async () => {
    const { call, outside } = tokenWorld({});
    const made = await sagemaker.endpoint(connection({ extra: keys })).authorize!(call, outside);
    expect(made.join(' ')).toContain('Credential=AKID/20260102/eu-west-1/sagemaker/aws4_request');
  });

  it('puts the container’s stream together again', () => {
    const framing = sagemaker.endpoint(connection({ extra: keys })).reframe!('openai-chat')!;
    const piece = (text: string) => awsFrame({ ':event-type': 'PayloadPart', ':message-type': 'event' }, text);
    const bytes = Buffer.concat([piece('data: {"a"'), piece(':1}\n\n')]);
    expect(framing.push(bytes.subarray(0, 30))).toBe(null);
    expect(framing.push(bytes.subarray(30))!.toString()).toBe('data: {"a":1}\n\n');
    const failure = awsFrame({ ':exception-type': 'ModelStreamError', ':message-type': 'exception' }, '{}');
    expect(() => framing.push(failure)).toThrow(/ModelStreamError/);
  });
});

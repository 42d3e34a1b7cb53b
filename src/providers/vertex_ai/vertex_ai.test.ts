import { createVerify, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { providerContract } from '../../../test/contract/provider.ts';
import { tokenWorld } from '../../../test/token-world.ts';
import type { ConnectionSettings } from '../../core/provider.ts';
import { Secret } from '../../core/secret.ts';
import { vertexAi } from './index.ts';

const extra = { vertex_project: 'my-project', vertex_location: 'europe-west1' };
const place = 'https://europe-west1-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west1';

providerContract(vertexAi, [
  {
    settings: { extra },
    dialect: 'gemini-generate',
    model: 'gemini-2.5-pro',
    address: `${place}/publishers/google/models/gemini-2.5-pro:generateContent`,
    headers: { 'x-goog-api-key': 'sk-canary-credential-42' },
  },
  {
    settings: { extra: { ...extra, vertex_location: 'global' } },
    dialect: 'anthropic-messages',
    model: 'claude-sonnet-4-5@20250929',
    address:
      'https://aiplatform.googleapis.com/v1/projects/my-project/locations/global/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict',
  },
  {
    settings: { extra },
    dialect: 'openai-chat',
    model: 'meta/llama-4-maverick-17b-128e-instruct-maas',
    address: `${place}/endpoints/openapi/chat/completions`,
  },
  {
    settings: { extra },
    dialect: 'gemini-generate',
    model: '1234567890',
    address: `${place}/endpoints/1234567890:generateContent`,
  },
  {
    settings: { extra },
    dialect: 'vertex-embed',
    model: 'text-embedding-005',
    address: `${place}/publishers/google/models/text-embedding-005:predict`,
  },
  {
    settings: { extra },
    dialect: 'imagen-images',
    model: 'imagen-4.0-generate-001',
    address: `${place}/publishers/google/models/imagen-4.0-generate-001:predict`,
  },
  {
    settings: { extra },
    dialect: 'gemini-live',
    model: 'gemini-live-2.5-flash',
    address: `${new URL(place).origin}/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent`,
  },
  {
    settings: { extra, model: 'semantic-ranker-default-004' },
    dialect: 'vertex-ranking',
    model: 'semantic-ranker-default-004',
    address:
      'https://discoveryengine.googleapis.com/v1/projects/my-project/locations/global/rankingConfigs/default_ranking_config:rank',
  },
]);

it('asks each model in the format of its maker', () => {
  expect(vertexAi.traits('gemini-2.5-pro').soleDialect).toBe('gemini-generate');
  expect(vertexAi.traits('claude-opus-4-6@20260101')).toMatchObject({
    soleDialect: 'anthropic-messages',
    adaptiveThinking: true,
  });
  expect(vertexAi.traits('deepseek-ai/deepseek-v3.1-maas').soleDialect).toBe('openai-chat');
});

it('puts the version of Anthropic’s messages into the body, and leaves the model to the address', () => {
  const edits = vertexAi.endpoint(connection({ ...extra })).edits!({
    dialect: 'anthropic-messages',
    model: 'm',
    stream: false,
    body: { model: 'm', messages: [] },
    headers: {},
  });
  expect(Object.fromEntries(edits)).toEqual({ model: undefined, anthropic_version: 'vertex-2023-10-16' });
});

it('asks for a project when nothing names one', () => {
  expect(() => vertexAi.endpoint(connection({}))).toThrow(/vertex_project/);
  const express = vertexAi.endpoint({ ...connection({}), credential: new Secret('AQ.key') });
  expect(express.origin + express.path('gemini-generate', 'gemini-2.5-pro', false)).toBe(
    'https://aiplatform.googleapis.com/v1/publishers/google/models/gemini-2.5-pro:generateContent',
  );
});

function connection(more: ConnectionSettings['extra'], environment: Record<string, string> = {}): ConnectionSettings {
  return {
    baseUrl: null,
    credential: null,
    model: 'gemini-2.5-pro',
    apiVersion: null,
    organization: null,
    extra: more,
    headers: {},
    environment,
  };
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const account = {
  type: 'service_account',
  project_id: 'in-the-file',
  client_email: 'me@in-the-file.iam.gserviceaccount.com',
  private_key_id: 'k1',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  token_uri: 'https://oauth2.googleapis.com/token',
};
const token = JSON.stringify({ access_token: 'ya29.fetched', expires_in: 3599, token_type: 'Bearer' });

describe('access tokens', () => {
  it('of a service account: a signed assertion for a token, whose project the address names', async () => {
    const world = tokenWorld({ 'https://oauth2.googleapis.com/token': token });
    const endpoint = vertexAi.endpoint(connection({ vertex_credentials: JSON.stringify(account) }));
    expect(endpoint.path('gemini-generate', 'gemini-2.5-pro', false)).toContain('/projects/in-the-file/');
    expect(await endpoint.authorize!(world.call, world.outside)).toEqual(['authorization', 'Bearer ya29.fetched']);
    const assertion = new URLSearchParams(world.asked[0]!.body!).get('assertion')!;
    const [header, claims, signature] = assertion.split('.') as [string, string, string];
    expect(
      createVerify('sha256').update(`${header}.${claims}`).verify(publicKey, Buffer.from(signature, 'base64url')),
    ).toBe(true);
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: account.client_email,
      aud: account.token_uri,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    });
    await endpoint.authorize!(world.call, world.outside);
    expect(world.asked).toHaveLength(1);
  });

  it('of a service account whose key file is named', async () => {
    const world = tokenWorld({
      'https://oauth2.googleapis.com/token': token,
      '/keys/sa.json': JSON.stringify({ ...account, private_key_id: 'k2' }),
    });
    const endpoint = vertexAi.endpoint(connection({ ...extra }, { GOOGLE_APPLICATION_CREDENTIALS: '/keys/sa.json' }));
    expect(await endpoint.authorize!(world.call, world.outside)).toEqual(['authorization', 'Bearer ya29.fetched']);
  });

  it('of a workload with the identity of another service, as a service account', async () => {
    const federation = {
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k8s',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: 'https://sts.googleapis.com/v1/token',
      service_account_impersonation_url:
        'https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/me:generateAccessToken',
      credential_source: { file: '/var/run/token' },
    };
    const world = tokenWorld({
      '/var/run/token': 'foreign.jwt.token\n',
      'https://sts.googleapis.com/': JSON.stringify({ access_token: 'federated', expires_in: 3600 }),
      'https://iamcredentials.googleapis.com/': JSON.stringify({
        accessToken: 'ya29.as-account',
        expireTime: '2026-01-02T04:04:05Z',
      }),
    });
    const endpoint = vertexAi.endpoint(connection({ ...extra, vertex_credentials: federation }));
    expect(await endpoint.authorize!(world.call, world.outside)).toEqual(['authorization', 'Bearer ya29.as-account']);
    expect(new URLSearchParams(world.asked[0]!.body!).get('subject_token')).toBe('foreign.jwt.token');
    expect(world.asked[1]!.headers).toContain('Bearer federated');
  });

  it('of whoever is signed in, else of the machine', async () => {
    const user = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' };
    const signedIn = tokenWorld({
      '/home/me/.config/gcloud/application_default_credentials.json': JSON.stringify(user),
      'https://oauth2.googleapis.com/token': token,
    });
    const endpoint = vertexAi.endpoint(connection({ ...extra }, { HOME: '/home/me' }));
    expect(await endpoint.authorize!(signedIn.call, signedIn.outside)).toEqual([
      'authorization',
      'Bearer ya29.fetched',
    ]);
    const machine = tokenWorld({
      'http://metadata.google.internal/': JSON.stringify({ access_token: 'ya29.machine', expires_in: 600 }),
    });
    const onMachine = vertexAi.endpoint(connection({ ...extra }, { HOME: '/nobody' }));
    expect(await onMachine.authorize!(machine.call, machine.outside)).toEqual(['authorization', 'Bearer ya29.machine']);
    expect(machine.asked[0]!.headers).toEqual(['metadata-flavor', 'Google']);
  });

  it('that cannot be had: why, in words that hold no secret', async () => {
    const world = tokenWorld({
      'https://oauth2.googleapis.com/token': '!400 {"error":"invalid_grant","error_description":"secret words"}',
    });
    const refused = vertexAi.endpoint(
      connection({ ...extra, vertex_credentials: { ...account, private_key_id: 'k3' } as never }),
    );
    await expect(refused.authorize!(world.call, world.outside)).rejects.toThrow(
      /^the Google token service answered 400 \(invalid_grant\)$/,
    );
    const broken = vertexAi.endpoint(
      connection({ ...extra, vertex_credentials: { ...account, private_key: 'nonsense' } as never }),
    );
    await expect(broken.authorize!(world.call, world.outside)).rejects.toThrow(/private key cannot be read/);
  });
});

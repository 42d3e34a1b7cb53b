import { describe, expect, it } from 'vitest';
import { providerContract } from '../../../test/contract/provider.ts';
import { tokenWorld } from '../../../test/token-world.ts';
import type { ConnectionSettings } from '../../core/provider.ts';
import { azure } from '../azure/index.ts';
import { azureAi } from './index.ts';

const foundry = 'https://r.services.ai.azure.com';

providerContract(azureAi, [
  {
    settings: { baseUrl: foundry },
    dialect: 'openai-chat',
    model: 'DeepSeek-V3.1',
    address: `${foundry}/models/chat/completions?api-version=2024-05-01-preview`,
    headers: { 'api-key': 'sk-canary-credential-42' },
  },
  {
    settings: { baseUrl: `${foundry}/models/`, apiVersion: '2025-04-01' },
    dialect: 'openai-embeddings',
    model: 'embed-v4',
    address: `${foundry}/models/embeddings?api-version=2025-04-01`,
  },
  {
    settings: { baseUrl: 'https://mine.eastus2.models.ai.azure.com' },
    dialect: 'openai-chat',
    model: 'mistral-large',
    address: 'https://mine.eastus2.models.ai.azure.com/v1/chat/completions',
    headers: { authorization: 'Bearer sk-canary-credential-42' },
  },
  {
    settings: { baseUrl: `${foundry}/anthropic`, model: 'claude-sonnet-4-5' },
    dialect: 'anthropic-messages',
    model: 'claude-sonnet-4-5',
    address: `${foundry}/anthropic/v1/messages`,
    headers: { 'api-key': 'sk-canary-credential-42', 'anthropic-version': '2023-06-01' },
  },
]);

function connection(extra: ConnectionSettings['extra'], environment: Record<string, string> = {}): ConnectionSettings {
  return {
    baseUrl: 'https://r.openai.azure.com',
    credential: null,
    model: 'gpt',
    apiVersion: null,
    organization: null,
    extra,
    headers: {},
    environment,
  };
}

describe('tokens of Entra ID', () => {
  const token = JSON.stringify({ access_token: 'eyJ.entra', expires_in: 3599 });

  it('with a client and its secret', async () => {
    const world = tokenWorld({ 'https://login.microsoftonline.com/ten/oauth2/v2.0/token': token });
    const endpoint = azure.endpoint(connection({ tenant_id: 'ten', client_id: 'cli', client_secret: 'sec' }));
    expect(await endpoint.authorize!(world.call, world.outside)).toEqual(['authorization', 'Bearer eyJ.entra']);
    expect(Object.fromEntries(new URLSearchParams(world.asked[0]!.body!))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'cli',
      client_secret: 'sec',
      scope: 'https://cognitiveservices.azure.com/.default',
    });
    await endpoint.authorize!(world.call, world.outside);
    expect(world.asked).toHaveLength(1);
  });

  it('with the token of a workload', async () => {
    const world = tokenWorld({ 'https://login.example/ten/oauth2/v2.0/token': token, '/var/run/azure': 'k8s.jwt.x\n' });
    const environment = {
      AZURE_TENANT_ID: 'ten',
      AZURE_CLIENT_ID: 'cli-2',
      AZURE_FEDERATED_TOKEN_FILE: '/var/run/azure',
      AZURE_AUTHORITY_HOST: 'https://login.example/',
    };
    await azure.endpoint(connection({}, environment)).authorize!(world.call, world.outside);
    expect(new URLSearchParams(world.asked[0]!.body!).get('client_assertion')).toBe('k8s.jwt.x');
  });

  it('of the machine, or of the app service it runs in', async () => {
    const told = JSON.stringify({ access_token: 'eyJ.machine', expires_on: String(Date.UTC(2026, 0, 2, 4) / 1_000) });
    const world = tokenWorld({
      'http://169.254.169.254/metadata/identity/oauth2/token': told,
      'http://127.0.0.1:41741/': told,
    });
    const onMachine = azure.endpoint(connection({}, { AZURE_CREDENTIAL: 'ManagedIdentityCredential' }));
    expect(await onMachine.authorize!(world.call, world.outside)).toEqual(['authorization', 'Bearer eyJ.machine']);
    expect(world.asked[0]!.address).toContain('resource=https%3A%2F%2Fcognitiveservices.azure.com');
    const inService = { IDENTITY_ENDPOINT: 'http://127.0.0.1:41741/msi/token', IDENTITY_HEADER: 'h' };
    await azureAi.endpoint(connection({}, inService)).authorize!(world.call, world.outside);
    expect(world.asked[1]!.headers).toEqual(['x-identity-header', 'h']);
  });

  it('for nobody: a key is asked for when the configuration is read', () => {
    expect(azure.authorizesItself(connection({}))).toBe(false);
    expect(azure.authorizesItself(connection({ tenant_id: 't', client_id: 'c', client_secret: 's' }))).toBe(true);
  });

  it('that are refused: why, and nothing of the secret', async () => {
    const world = tokenWorld({
      'https://login.microsoftonline.com/':
        '!401 {"error":"invalid_client","error_description":"the secret sec-9 is wrong"}',
    });
    const endpoint = azure.endpoint(connection({ tenant_id: 'ten', client_id: 'cli', client_secret: 'sec-9' }));
    await expect(endpoint.authorize!(world.call, world.outside)).rejects.toMatchObject({
      message: 'Microsoft Entra ID answered 401 (invalid_client)',
      unreachable: false,
    });
  });
});

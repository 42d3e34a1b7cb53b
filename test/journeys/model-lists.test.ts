import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import { Mistral } from '@mistralai/mistralai';
import { CohereClient } from 'cohere-ai';
import { Ollama } from 'ollama';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/* The models of a gateway, as every vendor's own client lists them. */
let gateway: GatewayProcess;
let key: string;

beforeAll(async () => {
  gateway = await startGateway({
    config: `
model_list:
  - { model_name: one, litellm_params: { model: openai/gpt-4o, api_key: sk-upstream-1 } }
  - { model_name: two, litellm_params: { model: cohere/rerank-v3.5, api_key: sk-upstream-1 }, model_info: { mode: rerank } }
  - { model_name: hidden, litellm_params: { model: openai/gpt-4o, api_key: sk-upstream-1 } }
`,
  });
  const made = await gateway.post('/key/generate', { models: ['one', 'two'] });
  ({ key } = (await made.json()) as { key: string });
});

afterAll(() => gateway?.stop());

type Names = (apiKey: string) => Promise<(string | undefined)[]>;

async function all<Item>(list: AsyncIterable<Item>, name: (item: Item) => string | undefined) {
  const names: (string | undefined)[] = [];
  for await (const item of list) names.push(name(item));
  return names;
}

const lists: Readonly<Record<string, Names>> = {
  openai: async (apiKey) => {
    const client = new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    return all(await client.models.list(), ({ id }) => id);
  },
  anthropic: async (apiKey) => {
    const client = new Anthropic({ apiKey, baseURL: gateway.url, maxRetries: 0 });
    return all(client.models.list({ limit: 1 }), ({ id }) => id);
  },
  google: async (apiKey) => {
    const client = new GoogleGenAI({ apiKey, httpOptions: { baseUrl: gateway.url } });
    return all(await client.models.list({ config: { pageSize: 1, queryBase: true } }), ({ name }) =>
      name?.replace('models/', ''),
    );
  },
  mistral: async (apiKey) => {
    const client = new Mistral({ apiKey, serverURL: `${gateway.url}/mistral-api` });
    return ((await client.models.list()).data ?? []).map(({ id }) => id);
  },
  cohere: async (token) => {
    const client = new CohereClient({ token, environment: gateway.url });
    const first = await client.models.list({ pageSize: 1 }, { maxRetries: 0 });
    const rest = await client.models.list({ pageToken: first.nextPageToken }, { maxRetries: 0 });
    return [...first.models, ...rest.models].map(({ name }) => name);
  },
  ollama: async (apiKey) => {
    const client = new Ollama({ host: gateway.url, headers: { authorization: `Bearer ${apiKey}` } });
    return (await client.list()).models.map(({ name }) => name);
  },
};

describe.each(Object.entries(lists))('the models, for %s', (client, names) => {
  it('are those that the key may use', async () => {
    // Ollama's clients talk to what they list.
    const other = client === 'ollama' ? [] : ['two'];
    expect(await names(key)).toEqual(['one', ...other]);
    expect(await names(masterKey)).toEqual(['one', ...other, 'hidden']);
  });

  it('are nobody’s with a bad key', async () => {
    await expect(names('sk-wrong')).rejects.toThrow(/401|[Aa]uthentication/);
  });
});

describe('one model', () => {
  it('is told by the clients that ask for one', async () => {
    const mistral = new Mistral({ apiKey: key, serverURL: `${gateway.url}/mistral-api` });
    expect(await mistral.models.retrieve({ modelId: 'one' })).toMatchObject({
      id: 'one',
      capabilities: { completionChat: true, functionCalling: true },
    });
    const cohere = new CohereClient({ token: key, environment: gateway.url });
    expect(await cohere.models.get('two')).toMatchObject({ name: 'two', endpoints: ['rerank'] });
    expect((await cohere.models.list({ endpoint: 'chat' })).models.map(({ name }) => name)).toEqual(['one']);
    const google = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: gateway.url } });
    expect(await google.models.get({ model: 'one' })).toMatchObject({ name: 'models/one' });
  });
});

describe('in Google’s and Anthropic’s ways', () => {
  it('the key may stand in the address, and a bad one is told in their words', async () => {
    for (const version of ['v1', 'v1beta']) {
      const answer = await fetch(`${gateway.url}/${version}/models?key=${key}`);
      expect(await answer.json()).toMatchObject({ models: [{ name: 'models/one' }, { name: 'models/two' }] });
      const refused = await fetch(`${gateway.url}/${version}/models`, { headers: { 'x-goog-api-key': 'sk-wrong' } });
      expect(refused.status).toBe(401);
      expect(await refused.json()).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } });
    }
    const headers = { 'x-api-key': 'sk-wrong', 'anthropic-version': '2023-06-01' };
    const anthropic = await fetch(`${gateway.url}/v1/models`, { headers });
    expect(await anthropic.json()).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
  });

  it('a verb that is none is not there', async () => {
    for (const version of ['v1', 'v1beta']) {
      const answer = await fetch(`${gateway.url}/${version}/models/one:dance`, { method: 'POST', body: '{}' });
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } });
    }
    expect((await gateway.get('/model/info')).status).toBe(200);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeProvider, rateLimited, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';

/*
 * Embeddings, rerank and moderations: every caller's format reaches every provider's, with one row and the right price.
 */
let fake: FakeProvider;
let rig: GatewayRig;

const embedders = ['openai', 'cohere', 'voyage', 'jina', 'tei', 'mistral', 'gemini'] as const;
const rankers = ['cohere', 'voyage', 'jina', 'tei'] as const;
const providers: Readonly<Record<string, string>> = { jina: 'jina_ai', tei: 'text_embeddings_inference' };

beforeAll(async () => {
  fake = await startFakeProvider();
  const line = (name: string, kind: string, prices: string) =>
    `  - model_name: ${name}-${kind}
    litellm_params: { model: ${providers[name] ?? name}/some-model, api_base: "${fake.url}", api_key: sk-upstream-1, ${prices} }
    model_info: { mode: ${kind} }`;
  rig = await startGatewayRig(`
model_list:
${embedders.map((name) => line(name, 'embedding', 'input_cost_per_token: 0.00000002')).join('\n')}
${rankers.map((name) => line(name, 'rerank', 'input_cost_per_query: 0.002')).join('\n')}
${line('openai', 'moderation', 'input_cost_per_token: 0, output_cost_per_token: 0')}
  - model_name: backed-up
    litellm_params: { model: openai/some-model, api_base: "${fake.url}", api_key: sk-upstream-1 }
  - model_name: hugging
    litellm_params: { model: huggingface/some-model, api_base: "${fake.url}/pipeline/feature-extraction", api_key: sk-upstream-1 }
    model_info: { mode: embedding }
router_settings: { fallbacks: [{ backed-up: [cohere-embedding] }], num_retries: 0 }
`);
});

afterAll(async () => {
  await rig?.close();
  await fake?.close();
});

describe.each([...embedders.map((name) => `${name}-embedding`), 'hugging'])('embeddings of %s', (model) => {
  it('answers an OpenAI caller, in base64 where that was asked for', async () => {
    const before = rig.records.length;
    const answer = await rig.post('/v1/embeddings', { model, input: ['one', 'two'], encoding_format: 'base64' });
    const body = (await answer.json()) as { data: { index: number; embedding: string }[]; model: string };
    expect(answer.status, JSON.stringify(body)).toBe(200);
    expect(body.model).toBe(model);
    expect(body.data.map(({ index }) => index)).toEqual([0, 1]);
    expect(body.data[0]!.embedding).toMatch(/^[A-Za-z0-9+/]+=*$/);
    const [record] = (await rig.recorded(before + 1)).slice(-1);
    expect(record).toMatchObject({ operation: 'embedding', status: 'success', modelGroup: model });
    expect(record!.usage.inputTokens).toBeGreaterThan(0);
    if (model !== 'hugging') expect(record!.cost).toBe(record!.usage.inputTokens * 20);
  });

  it('answers a Cohere caller and an Ollama caller', async () => {
    const cohere = await rig.post('/v2/embed', { model, texts: ['one'], input_type: 'search_query' });
    const body = (await cohere.json()) as { embeddings: { float: number[][] }; texts: string[] };
    expect(cohere.status, JSON.stringify(body)).toBe(200);
    expect(body.embeddings.float[0]!.length).toBeGreaterThan(0);
    const gemini = await rig.post(`/v1beta/models/${model}:batchEmbedContents`, {
      requests: [{ model: `models/${model}`, content: { parts: [{ text: 'one' }] } }],
    });
    expect(((await gemini.json()) as { embeddings: unknown[] }).embeddings).toHaveLength(1);
    const ollama = await rig.post('/api/embed', { model, input: 'one' });
    expect(((await ollama.json()) as { embeddings: number[][] }).embeddings).toHaveLength(1);
  });
});

describe.each(rankers)('rerank by %s', (name) => {
  it('answers in the common shape, best first, at the price of a search', async () => {
    const before = rig.records.length;
    const model = `${name}-rerank`;
    const documents = ['a', 'a much longer one', 'mid one'];
    const answer = await rig.post('/v1/rerank', { model, query: 'q', documents, top_n: 2, return_documents: true });
    const body = (await answer.json()) as { results: { index: number; document: { text: string } }[] };
    expect(answer.status, JSON.stringify(body)).toBe(200);
    expect(body.results.map(({ index }) => index)).toEqual([1, 2]);
    expect(body.results[0]!.document.text).toBe('a much longer one');
    const [record] = (await rig.recorded(before + 1)).slice(-1);
    expect(record).toMatchObject({ operation: 'rerank', cost: 2_000_000, bound: 2_000_000 });
  });
});

it('moderations pass through', async () => {
  const answer = await rig.post('/v1/moderations', { model: 'openai-moderation', input: ['good', 'bad'] });
  const body = (await answer.json()) as { model: string; results: { flagged: boolean }[] };
  expect(body).toMatchObject({ model: 'openai-moderation', results: [{ flagged: false }, { flagged: true }] });
});

it('a model that fails is stood in for by one that speaks another format', async () => {
  fake.enqueue(rateLimited(1));
  const answer = await rig.post('/v1/embeddings', { model: 'backed-up', input: 'one' });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-litellm-attempted-fallbacks')).toBe('1');
});

describe('bad input is a clear 4xx', () => {
  it.each([
    ['/v1/embeddings', { model: 'cohere-embedding', input: [[1, 2]] }, 'lists of tokens as input'],
    ['/v1/embeddings', { model: 'cohere-embedding' }, 'input: expected a string or a list of strings, got nothing'],
    ['/v1/embeddings', { model: 'tei-embedding', input: { a: 1 } }, 'input: expected'],
    ['/v2/embed', { model: 'openai-embedding', texts: 'x' }, 'one of texts, images and inputs must be a list'],
    ['/v2/embed', { model: 'openai-embedding', texts: ['x'], embedding_types: ['ubinary'] }, 'encoding_format'],
    ['/v1/rerank', { model: 'cohere-rerank', query: 'q', documents: [] }, 'documents: the list is empty'],
    ['/v1/rerank', { model: 'cohere-embedding', query: 'q', documents: ['a'] }, 'rerank'],
    ['/v1/moderations', { model: 'openai-moderation', input: 5 }, 'input: expected a string or a list, got a number'],
  ])('%s %j', async (path, body, message) => {
    const answer = await rig.post(path, body);
    const text = await answer.text();
    expect(answer.status, text).toBe(400);
    expect(text).toContain(message);
  });
});

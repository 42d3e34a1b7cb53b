import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayProcess, masterKey, startGateway } from './support/gateway-process.ts';

/*
 * The official clients against both kinds of upstream: a client that speaks one format must not notice that the model
 * behind speaks the other. What every client must hear (tools, errors) stands in every-client.test.ts.
 */
const upstreams = ['speaks-openai', 'speaks-anthropic'] as const;
let openaiUpstream: FakeProvider;
let anthropicUpstream: FakeProvider;
let gateway: GatewayProcess;
let openai: OpenAI;
let anthropic: Anthropic;

beforeAll(async () => {
  openaiUpstream = await startFakeProvider();
  anthropicUpstream = await startFakeProvider();
  gateway = await startGateway({
    config: `
model_list:
  - model_name: speaks-openai
    litellm_params: { model: openai/some-model, api_base: "${openaiUpstream.url}/v1", api_key: upstream-key-1 }
  - model_name: speaks-anthropic
    litellm_params: { model: anthropic/claude-test, api_base: "${anthropicUpstream.url}", api_key: upstream-key-2 }
`,
  });
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: masterKey, maxRetries: 0 });
  anthropic = new Anthropic({ baseURL: gateway.url, apiKey: masterKey, maxRetries: 0 });
});

beforeEach(() => {
  openaiUpstream.setDefault({});
  anthropicUpstream.setDefault({});
});

afterAll(async () => {
  await gateway?.stop();
  await openaiUpstream?.close();
  await anthropicUpstream?.close();
});

function upstreamOf(model: (typeof upstreams)[number]): FakeProvider {
  return model === 'speaks-openai' ? openaiUpstream : anthropicUpstream;
}

describe.each(upstreams)('the openai client, in front of a model that %s', (model) => {
  it('gets a whole answer with usage', async () => {
    upstreamOf(model).setDefault({ text: 'Grüezi, 世界 👋' });
    const answer = await openai.chat.completions.create({ model, messages: [{ role: 'user', content: 'Hello' }] });
    expect(answer.choices[0]?.message.content).toBe('Grüezi, 世界 👋');
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    expect(answer.model).toBe(model);
    expect(answer.usage?.total_tokens).toBe(
      (answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0),
    );
    expect(answer.usage?.completion_tokens).toBeGreaterThan(0);
  });

  it('gets a stream with usage at its end', async () => {
    upstreamOf(model).setDefault({ text: 'One two three – vier fünf 六' });
    const stream = await openai.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Count' }],
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: OpenAI.CompletionUsage | null | undefined;
    const reasons: string[] = [];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      if (chunk.choices[0]?.finish_reason) reasons.push(chunk.choices[0].finish_reason);
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe('One two three – vier fünf 六');
    expect(reasons).toEqual(['stop']);
    expect(usage?.completion_tokens).toBeGreaterThan(0);
  });

  it('does not see usage it did not ask for', async () => {
    const stream = await openai.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Count' }],
      stream: true,
    });
    for await (const chunk of stream) {
      expect(chunk.usage ?? null).toBeNull();
      expect(chunk.choices.length).toBe(1);
    }
  });
});

describe.each(upstreams)('the anthropic client, in front of a model that %s', (model) => {
  it('gets a whole answer with usage', async () => {
    upstreamOf(model).setDefault({ text: 'Grüezi, 世界 👋' });
    const answer = await anthropic.messages.create({
      model,
      max_tokens: 500,
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
      messages: [{ role: 'user', content: 'Hello' }],
    });
    expect(answer.content).toMatchObject([{ type: 'text', text: 'Grüezi, 世界 👋' }]);
    expect(answer.stop_reason).toBe('end_turn');
    expect(answer.model).toBe(model);
    expect(answer.usage.output_tokens).toBeGreaterThan(0);
  });

  it('gets a stream that its own assembler understands', async () => {
    upstreamOf(model).setDefault({ text: 'One two three – vier fünf 六', reasoning: 'Let me count.' });
    const stream = anthropic.messages.stream({
      model,
      max_tokens: 2000,
      messages: [{ role: 'user', content: 'Count' }],
    });
    const events: string[] = [];
    stream.on('streamEvent', (event) => events.push(event.type));
    const message = await stream.finalMessage();
    expect(message.content.map((block) => block.type)).toEqual(['thinking', 'text']);
    expect(message.content[1]).toMatchObject({ text: 'One two three – vier fünf 六' });
    expect(message.stop_reason).toBe('end_turn');
    expect(message.usage.output_tokens).toBeGreaterThan(0);
    expect(events.filter((type) => type === 'message_start').length).toBe(1);
    expect(events.at(-1)).toBe('message_stop');
  });
});

describe('what stays whole on the way', () => {
  it('replays thinking with its signature to a model that speaks the same format, byte for byte', async () => {
    anthropicUpstream.setDefault({ text: 'Done.', reasoning: 'Hm.', reasoningSignature: 'c2lnbmF0dXJl' });
    const first = await anthropic.messages.create({
      model: 'speaks-anthropic',
      max_tokens: 2000,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      messages: [{ role: 'user', content: 'Think' }],
    });
    expect(first.content[0]).toMatchObject({ type: 'thinking', thinking: 'Hm.', signature: 'c2lnbmF0dXJl' });
    await anthropic.messages.create({
      model: 'speaks-anthropic',
      max_tokens: 2000,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      messages: [
        { role: 'user', content: 'Think' },
        { role: 'assistant', content: first.content },
        { role: 'user', content: 'Again' },
      ],
    });
    const sent = anthropicUpstream.requests.at(-1)?.json as { messages: { content: unknown[] }[] };
    expect(sent.messages[1]?.content[0]).toEqual({ type: 'thinking', thinking: 'Hm.', signature: 'c2lnbmF0dXJl' });
  });

  it('sends fields it does not know to a model that speaks the same format, byte for byte', async () => {
    const before =
      '"messages":[{"role":"user","content":"Hi \\u00e9"}],  "vendor_field": {"a":1.0,"big":12345678901234567890}';
    await gateway.post('/v1/chat/completions', `{"model":"speaks-openai",${before}}`);
    expect(openaiUpstream.requests.at(-1)?.body.toString()).toContain(before);
  });
});

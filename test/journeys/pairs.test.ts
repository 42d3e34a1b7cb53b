import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeProvider, resetAt, startFakeProvider } from '../fake-provider/index.ts';
import { deployment, type GatewayRig, startGatewayRig } from './gateway-rig.ts';

let fake: FakeProvider;
let rig: GatewayRig;

beforeAll(async () => {
  fake = await startFakeProvider({ strict: true });
  rig = await startGatewayRig(`model_list:
${deployment('chat', fake.url, 'openai/some-model')}
${deployment('chat-only', fake.url, 'hosted_vllm/some-model')}
${deployment('responses-only', fake.url, 'openai/some-pro')}
    model_info: {mode: responses}
${deployment('claude', fake.url, 'anthropic/some-claude', { api_base: fake.url })}
litellm_settings: {cache: true, cache_params: {type: local, mode: default_off}}
router_settings: {num_retries: 0}
`);
});
afterAll(async () => {
  await rig.close();
  await fake.close();
});

const question = [{ role: 'user', content: 'Hello' }];
const asMessages = { max_tokens: 200, messages: question };
const callers = [
  ['openai', '/v1/chat/completions', asMessages, (text: string) => text.endsWith('data: [DONE]\n\n')],
  ['responses', '/v1/responses', { input: question }, (text: string) => text.includes('event: response.completed')],
  ['anthropic', '/v1/messages', asMessages, (text: string) => text.includes('event: message_stop')],
] as const;
const ownMetadata = ['/v1/messages', '/v1/responses'];

describe.each(callers)('a caller speaking %s', (_caller, path, asked, complete) => {
  describe.each([['chat'], ['chat-only'], ['responses-only'], ['claude']])('to the group %s', (model) => {
    const body = { model, ...asked };

    test('gets a whole answer, a stream, and both again from the cache', async () => {
      fake.enqueue({ text: 'Plain words.' }, { text: 'Words in pieces.' });
      const cache = ownMetadata.includes(path)
        ? { litellm_metadata: {}, cache: { 'use-cache': true } }
        : { cache: { 'use-cache': true } };
      const before = fake.requests.length;
      const whole = await (await rig.post(path, { ...body, ...cache })).text();
      expect(whole).toContain('Plain words.');
      const second = { ...body, ...cache, temperature: 0.5 };
      const streamed = await (await rig.post(path, { ...second, stream: true })).text();
      expect(complete(streamed)).toBe(true);
      const again = await (await rig.post(path, second)).text();
      expect(again).toContain('Words in pieces.');
      const replayed = await (await rig.post(path, { ...body, ...cache, stream: true })).text();
      expect(replayed).toContain('Plain words.');
      expect(complete(replayed)).toBe(true);
      expect(fake.requests.length - before).toBe(2);
    });

    test('is told of a stream that broke in its own words', async () => {
      fake.enqueue({ ...resetAt({ event: 6 }), delayBetweenEventsMs: 3 });
      const text = await (await rig.post(path, { ...body, stream: true })).text();
      expect(complete(text)).toBe(false);
      expect(text.trimEnd().split('\n\n').at(-1)).toContain('"error"');
    });
  });
});

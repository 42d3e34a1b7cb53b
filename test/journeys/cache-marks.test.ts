import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

/* cache_control_injection_points: prompts are marked for the provider's cache where their callers mark nothing. */
let fake: FakeProvider;
let rig: GatewayRig;
const points = [
  { location: 'message', role: 'system' },
  { location: 'message', index: -1, control: { type: 'ephemeral', ttl: '1h' } },
];

beforeAll(async () => {
  fake = await startFakeProvider();
  const at = { api_base: fake.url };
  rig = await startGatewayRig(`model_list:
${deployment('marked', fake.url, 'anthropic/claude-a', { ...at, cache_control_injection_points: points })}
${deployment('everything', fake.url, 'anthropic/claude-b', { ...at, cache_control_injection_points: [{ role: 'user' }] })}
${deployment('plain', fake.url, 'anthropic/claude-c', at)}
`);
});
afterAll(async () => {
  await rig.close();
  await fake.close();
});

const sent = () => JSON.parse(fake.requests.at(-1)!.body.toString());
const asked = {
  messages: [
    { role: 'system', content: 'Long rules' },
    { role: 'user', content: 'Hello' },
  ],
};
const usual = { type: 'ephemeral' };
const longer = { type: 'ephemeral', ttl: '1h' };

test('of a caller in OpenAI’s format', async () => {
  expect((await rig.chat({ model: 'marked', ...asked })).status).toBe(200);
  expect(sent()).toMatchObject({
    system: [{ text: 'Long rules', cache_control: usual }],
    messages: [{ role: 'user', content: [{ text: 'Hello', cache_control: longer }] }],
  });
  expect(sent().cache_control_injection_points).toBeUndefined();
});

test('of a caller in Anthropic’s, whose other fields stay as they are', async () => {
  const content = [
    { type: 'text', text: 'one' },
    { type: 'text', text: 'two' },
  ];
  const body = { model: 'marked', max_tokens: 5, system: 'Rules', novelty: 1, messages: [{ role: 'user', content }] };
  expect((await rig.post('/v1/messages', body)).status).toBe(200);
  expect(sent()).toMatchObject({
    novelty: 1,
    system: [{ type: 'text', text: 'Rules', cache_control: usual }],
    messages: [{ content: [{ text: 'one' }, { text: 'two', cache_control: longer }] }],
  });
  expect(sent().messages[0].content[0].cache_control).toBeUndefined();
});

test('no more than a provider takes, the last ones; none where the caller marks its own, or nobody wishes it', async () => {
  const turns = Array.from({ length: 7 }, (_, index) => [
    { role: 'user', content: `q${index}` },
    { role: 'assistant', content: `a${index}` },
  ]).flat();
  const messages = [...turns, { role: 'user', content: 'last' }];
  await rig.chat({ model: 'everything', messages });
  const withMark = sent().messages.filter((one: object) => JSON.stringify(one).includes('cache_control'));
  expect(withMark.map((one: { content: { text: string }[] }) => one.content[0]!.text)).toEqual([
    'q4',
    'q5',
    'q6',
    'last',
  ]);
  const own = [{ role: 'user', content: [{ type: 'text', text: 'mine', cache_control: usual }] }];
  await rig.chat({ model: 'marked', messages: [{ role: 'system', content: 'Rules' }, ...own] });
  expect(JSON.stringify(sent().system)).not.toContain('cache_control');
  await rig.chat({ model: 'plain', ...asked });
  expect(JSON.stringify(sent())).not.toContain('cache_control');
});

import { seeded } from '../../chaos/row.ts';
import type { Script } from '../../fake-provider/index.ts';
import { masterKey } from '../../journeys/support/gateway-process.ts';
import { fakeIn, gatewayIn, model } from '../gateway.ts';
import { hostileBody } from '../hostile-bodies.ts';
import { inParallel } from '../raw-socket.ts';
import { inPlace, type WireRow } from '../row.ts';

const words = [{ role: 'user', content: 'Hello' }];
const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }];

/** A valid request of each format: path, model, body. */
const requests: readonly (readonly [path: string, body: object])[] = [
  ['/v1/chat/completions', { model: 'm', messages: words, tools, response_format: { type: 'json_object' } }],
  [
    '/v1/chat/completions',
    { model: 'claude', messages: [...words, { role: 'assistant', content: 'x' }, ...words], n: 1 },
  ],
  ['/v1/completions', { model: 'm', prompt: 'Hello' }],
  ['/v1/embeddings', { model: 'm', input: ['one', 'two'] }],
  ['/v1/messages', { model: 'claude', max_tokens: 10, messages: words, system: [{ type: 'text', text: 'x' }] }],
  [
    '/v1/messages',
    { model: 'm', max_tokens: 10, messages: words, tools: [{ name: 'f', input_schema: { type: 'object' } }] },
  ],
  ['/v1/responses', { model: 'm', input: [{ role: 'user', content: [{ type: 'input_text', text: 'x' }] }] }],
  ['/v1beta/models/m:generateContent', { contents: [{ role: 'user', parts: [{ text: 'x' }] }] }],
  ['/model/m/converse', { messages: [{ role: 'user', content: [{ text: 'x' }] }] }],
  ['/v2/chat', { model: 'm', messages: words }],
  ['/api/chat', { model: 'm', messages: words }],
  ['/v1/rerank', { model: 'm', query: 'x', documents: ['a', 'b'] }],
  ['/v1/moderations', { model: 'm', input: 'x' }],
  ['/key/generate', { models: ['m'], max_budget: 1, metadata: { a: 1 } }],
  ['/team/new', { team_alias: 'x', models: ['m'] }],
];

/** What the provider does meanwhile, as bad as the callers. */
const answers: readonly Script[] = [
  {},
  { body: '{"choices": "x"}' },
  { body: '<html>', contentType: 'text/html', status: 502 },
  { body: '{"id":1,"choices":[null]}' },
  { status: 400, error: { message: 'no' } },
  { cuts: 1 },
  { omitDone: true },
  { gzip: true },
  { contentLength: 3 },
];

/** Promise 27: bodies and headers of every kind, at every door, while the provider misbehaves too. */
export const fuzzRow: WireRow = {
  row: 27,
  kind: 'wire',
  promise: 'Nothing a client sends can crash or freeze a replica',
  target: 'crashes, unhandled rejections and faults of the gateway 0 of at least 5 million inputs',
  run: (size) =>
    inPlace(async (place) => {
      const broken: string[] = [];
      const fake = await fakeIn(place);
      const config = `model_list:
${model('m', fake.port)}
  - {model_name: claude, litellm_params: {model: anthropic/claude, api_base: "http://127.0.0.1:${fake.port}", api_key: none}}
router_settings: {num_retries: 0, disable_cooldowns: true}
litellm_settings: {drop_params: true}
`;
      const gateway = await gatewayIn(place, { config });
      const count = size === 'short' ? 600 : 100_000;
      const random = seeded(27);
      const inputs = Array.from({ length: count }, (_, index) => index);
      const statuses = new Map<number, number>();
      let faults = 0;
      await inParallel(inputs, 8, async () => {
        const [path, valid] = requests[Math.floor(random() * requests.length)]!;
        const body = hostileBody(random, random() < 0.3 ? { ...valid, stream: true } : valid);
        if (random() < 0.3) fake.enqueue(answers[Math.floor(random() * answers.length)]!);
        const answer = await fetch(gateway.url + path, {
          method: 'POST',
          headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json', ...oddHeaders(random) },
          body: new Uint8Array(body),
        }).catch(() => null);
        if (answer === null) {
          // Such as a connection that a refused body ended.
          statuses.set(0, (statuses.get(0) ?? 0) + 1);
          return;
        }
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const text = await answer.text().catch(() => '');
        // What the provider did wrong is told as such; what the gateway did wrong, as internal.
        if (/Internal error|internal server error\b.*gateway/i.test(text)) {
          faults += 1;
          if (faults <= 8) broken.push(`${path}: ${body.subarray(0, 300).toString()} → ${text.slice(0, 100)}`);
        }
      });
      fake.reset();
      const after = await gateway.post('/v1/chat/completions', { model: 'm', messages: words });
      if (after.status !== 200) broken.push(`afterwards a request in order got ${after.status}`);
      if (gateway.child.exitCode !== null) broken.push(`the process ended with ${gateway.child.exitCode}`);
      if (/unhandled|TypeError|RangeError/i.test(gateway.log())) {
        broken.push(
          `the log tells of a fault: ${/.*(?:unhandled|TypeError|RangeError).*/i.exec(gateway.log())?.[0].slice(0, 400)}`,
        );
      }
      if (faults > 0) broken.push(`${faults} inputs met a fault of the gateway`);
      const told = [...statuses]
        .sort(([one], [other]) => one - other)
        .map(([status, times]) => `${times} × ${status || 'closed'}`);
      return {
        figures: {
          inputs: count,
          'faults of the gateway': faults,
          answers: told.join(', '),
        },
        broken,
      };
    }),
};

function oddHeaders(random: () => number): Record<string, string> {
  if (random() < 0.8) return {};
  const odd: Record<string, string>[] = [
    { 'content-encoding': 'gzip' },
    { 'content-type': 'multipart/form-data; boundary=x' },
    { 'content-type': 'text/plain' },
    { 'anthropic-version': '1', 'anthropic-beta': 'x'.repeat(2_000) },
    { 'x-litellm-call-id': '../../x', 'x-litellm-tags': ',,,' },
    { 'idempotency-key': 'k'.repeat(300) },
    { traceparent: '00-zz-zz-zz', 'x-litellm-timeout': '-1', 'x-litellm-num-retries': '1e9' },
  ];
  return odd[Math.floor(random() * odd.length)]!;
}

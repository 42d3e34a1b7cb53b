import { expect, test } from 'vitest';
import { deployment, gateway, price, snapshot } from '../../test/builders.ts';
import type { Dialect } from '../core/dialect.ts';
import type { Reply } from '../core/exchange.ts';
import type { Transport, UpstreamRequest } from '../core/ports.ts';
import { AuthorizationError, type Authorize, type OutgoingCall } from '../core/provider.ts';
import { openaiChat } from '../dialects/openai-chat/index.ts';
import { matchRoute } from './operations.ts';
import { serve } from './pipeline.ts';

const answer = {
  id: 'c-1',
  object: 'chat.completion',
  created: 1,
  model: 'up',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
};

function set(authorize: Authorize, status = 200, body: object = answer) {
  const sent: UpstreamRequest[] = [];
  const transport: Transport = {
    send(request, receiver) {
      sent.push(request);
      queueMicrotask(() => {
        receiver.onHeaders(status, { 'content-type': 'application/json' });
        receiver.onBytes(Buffer.from(JSON.stringify(body)));
        receiver.onEnd();
      });
      return { pause() {}, resume() {}, cancel() {} };
    },
    close: async () => {},
  };
  const plain = deployment({ id: 'dep-1', price: price(1, 2) });
  const signed = { ...plain, endpoint: { ...plain.endpoint, authorize } };
  const config = snapshot({ deployments: [signed], router: { retries: 0 } });
  const ours = gateway({
    transport,
    dialects: new Map([['openai-chat', openaiChat as Dialect]]),
    snapshot: () => config,
  });
  const ask = async () => {
    const reply = await serve(ours, {
      matched: matchRoute('/v1/chat/completions')!,
      path: '/v1/chat/completions',
      query: '',
      arrivedTick: 0,
      headers: {},
      bytes: Buffer.from('{"model":"m","messages":[{"role":"user","content":"Hi"}]}'),
      clientAddress: null,
      client: { gone: false, onGone() {} },
    });
    return { status: reply.status, text: text(reply) };
  };
  return { ask, sent, ours, signed };
}

const text = ({ body }: Reply) => Buffer.from(body as Uint8Array).toString();

test('a call is authorised by what goes over the wire, and its headers come on top', async () => {
  const seen: OutgoingCall[] = [];
  const { ask, sent } = set(async (call) => {
    seen.push(call);
    return ['authorization', 'Bearer made-for-this-call'];
  });
  expect((await ask()).status).toBe(200);
  const [request] = sent;
  const [call] = seen;
  expect(request!.headers).toEqual([...call!.headers, 'authorization', 'Bearer made-for-this-call']);
  expect(request).toMatchObject({ origin: call!.origin, path: call!.path, method: call!.method, body: call!.body });
});

test.each([
  [false, 401],
  [true, 503],
])(
  'what cannot be authorised is not sent, counts against the deployment, and says why (unreachable: %s)',
  async (unreachable, status) => {
    const { ask, sent, ours, signed } = set(() => {
      throw new AuthorizationError('the token service said no', unreachable);
    });
    const told = await ask();
    expect(told.status).toBe(status);
    expect(told.text).toContain('the token service said no');
    expect(sent).toEqual([]);
    expect(ours.health.state(signed)).toMatchObject({ inFlight: 0, failuresThisMinute: 1 });
  },
);

test('a provider that repeats the token is not repeated', async () => {
  const body = { error: { message: 'bad token ya29.secret-token here', type: 'x' } };
  const { ask } = set(() => ['authorization', 'Bearer ya29.secret-token'], 400, body);
  const told = await ask();
  expect(told.status).toBe(400);
  expect(told.text).toContain('bad token [redacted] here');
});

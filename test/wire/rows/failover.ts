import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { percentile } from '../../chaos/row.ts';
import type { Script } from '../../fake-provider/index.ts';
import { fakeIn, gatewayIn, model } from '../gateway.ts';
import { inPlace, type WireRow } from '../row.ts';

/** How a primary fails before its first content, and whether that takes time by itself. */
const faults: readonly (readonly [name: string, script: Script])[] = [
  ['429', { status: 429 }],
  ['500', { status: 500 }],
  ['503', { status: 503 }],
  ['an HTML page', { status: 502, body: '<html>Bad gateway</html>', contentType: 'text/html' }],
  ['a reset before the headers', { reset: 'before-headers' }],
  ['an end before the headers', { fin: 'before-headers' }],
  ['a reset after the headers', { reset: { event: 0 } }],
  ['a reset after an event without content', { reset: { event: 1 } }],
  ['an error inside the stream, first', { errorAtEvent: 0 }],
  ['an empty answer', { body: '', contentType: 'text/event-stream' }],
  ['garbage', { body: 'data: {not json\n\n', contentType: 'text/event-stream' }],
];

/** Promise 23: a failing provider is replaced before the first content, and never after it. */
export const failoverRow: WireRow = {
  row: 23,
  kind: 'wire',
  promise: 'Failover works before the first byte and never after',
  target:
    'success 100 % where a healthy target exists and no content was sent; second attempts after the first content 0; added p99 at most 50 ms on fast failures',
  run: (size) =>
    inPlace(async (place) => {
      const broken: string[] = [];
      const sick = await fakeIn(place, { default: { text: 'From the other one.' } });
      const well = await fakeIn(place, { default: { text: 'From the healthy one.' } });
      const plain = await tlsMisfit();
      place.onEnd(() => plain.close());
      const gone = await closedPort();
      const config = `model_list:
${model('sick', sick.port)}${model('well', well.port)}${model('refused', gone)}
  - {model_name: tls, litellm_params: {model: openai/m, api_base: "https://127.0.0.1:${portOf(plain)}/v1", api_key: none}}
router_settings: {num_retries: 0, disable_cooldowns: true, fallbacks: [{sick: [well]}, {refused: [well]}, {tls: [well]}]}
`;
      const gateway = await gatewayIn(place, { config });
      const rounds = size === 'short' ? 3 : 100;
      const added: number[] = [];
      let requests = 0;
      let failed = 0;
      const ask = async (name: string, of: string, stream: boolean) => {
        requests += 1;
        const startedAt = performance.now();
        const body = { model: of, stream, messages: [{ role: 'user', content: 'Hello' }] };
        const answer = await gateway.post('/v1/chat/completions', body);
        const text = await answer.text();
        added.push(performance.now() - startedAt);
        // A kept connection that breaks at once is made good on a fresh one, to the same provider.
        const isWhole = /^From the (healthy|other) one\.$/.test(said(text)) && (!stream || text.includes('[DONE]'));
        if (answer.status === 200 && isWhole) return;
        failed += 1;
        if (failed <= 5) broken.push(`${name}${stream ? ', streamed' : ''}: ${answer.status} ${text.slice(0, 120)}`);
      };
      const base: number[] = [];
      for (let index = 0; index < 30; index++) {
        const startedAt = performance.now();
        await (await gateway.post('/v1/chat/completions', { model: 'well', messages: [] })).text();
        base.push(performance.now() - startedAt);
      }
      for (let round = 0; round < rounds; round++) {
        for (const stream of [true, false]) {
          for (const [name, script] of faults) {
            sick.enqueue({ text: 'From the other one.', ...script });
            await ask(name, 'sick', stream);
          }
          await ask('a refused connection', 'refused', stream);
          await ask('no TLS behind https', 'tls', stream);
        }
      }
      const p99 = percentile(added, 0.99) - percentile(base, 0.5);
      // Beside other tests, what is measured in so few requests is the machine.
      if (p99 > 50 && size === 'full') broken.push(`p99 of what a fast failure adds is ${p99.toFixed(1)} ms`);

      const before = well.requests.length;
      let repeated = 0;
      for (let index = 0; index < (size === 'short' ? 5 : 500); index++) {
        const at = { event: 3 + (index % 8) };
        sick.enqueue(index % 2 === 0 ? { reset: at, delayBetweenEventsMs: 2 } : { fin: at, delayBetweenEventsMs: 2 });
        const body = { model: 'sick', stream: true, messages: [{ role: 'user', content: 'Hello' }] };
        const text = await (await gateway.post('/v1/chat/completions', body)).text();
        if (!text.includes('"error"') || said(text).includes('From the healthy one.')) repeated += 1;
      }
      if (well.requests.length !== before || repeated > 0) broken.push(`${repeated} streams were begun a second time`);
      return {
        figures: {
          'kinds of failure': faults.length + 2,
          'failed though a healthy target was there': `${failed} of ${requests}`,
          'second attempts after the first content': well.requests.length - before,
          'p99 of what a fast failure adds (ms)': p99.toFixed(1),
        },
        broken,
      };
    }),
};

/** The words of an answer, streamed or not. */
function said(text: string): string {
  return [...text.matchAll(/"content":"((?:[^"\\]|\\.)*)"/g)].map(([, piece]) => JSON.parse(`"${piece}"`)).join('');
}

/** Accepts connections and answers a TLS greeting with plain text. */
function tlsMisfit(): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

async function closedPort(): Promise<number> {
  const server = await tlsMisfit();
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

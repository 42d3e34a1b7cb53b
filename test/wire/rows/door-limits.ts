import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { pause, percentile } from '../../chaos/row.ts';
import { type GatewayProcess, masterKey } from '../../journeys/support/gateway-process.ts';
import { fakeIn, gatewayIn, model, residentBytes } from '../gateway.ts';
import { exchangeRaw } from '../raw-socket.ts';
import { inPlace, type WireRow } from '../row.ts';

const goneLimitMs = 15_000;
const megabyte = 1_000_000;

/** Promise 28: whoever sends too slowly or too much gets a clear answer, and nobody else notices. */
export const doorLimitsRow: WireRow = {
  row: 28,
  kind: 'wire',
  promise: 'Limits answer cleanly',
  target:
    '408, 413 and 431 where they belong; 2,000 slow connections gone within 15 s; p99 of others at most doubled; RSS +100 MB at most',
  run: (size) =>
    inPlace(async (place) => {
      const broken: string[] = [];
      const fake = await fakeIn(place);
      const config = `model_list:\n${model('m', fake.port)}general_settings: {max_request_size_mb: 1}`;
      const gateway = await gatewayIn(place, { config });
      const port = Number(new URL(gateway.url).port);
      const idle = readdirSync(`/proc/${gateway.child.pid}/fd`).length;

      const checks = await answers(port);
      for (const [name, expected, statuses] of checks) {
        if (statuses.length !== 1 || statuses[0] !== expected)
          broken.push(`${name}: answered ${statuses}, not ${expected}`);
      }

      const quiet = await latencies(gateway, 150);
      const before = residentBytes(gateway);
      const count = size === 'short' ? 100 : 2_000;
      const startedAt = performance.now();
      const slow = Array.from({ length: count }, (_, index) => slowSocket(port, index % 2 === 0));
      const beside = await latencies(gateway, 150);
      const goneAfterMs = await Promise.all(slow.map(({ gone }) => gone));
      const grown = residentBytes(gateway) - before;
      const last = Math.max(...goneAfterMs.map((at) => at - startedAt));
      if (last > goneLimitMs) broken.push(`the last slow connection was gone after ${Math.round(last)} ms`);
      const [quietP99, besideP99] = [percentile(quiet, 0.99), percentile(beside, 0.99)];
      // Some milliseconds are noise on any machine; beside other tests, the slowest requests are the machine's.
      const [quietP50, besideP50] = [percentile(quiet, 0.5), percentile(beside, 0.5)];
      const isSlowed = size === 'short' ? besideP50 > 2 * quietP50 + 10 : besideP99 > 2 * quietP99 + 10;
      if (isSlowed) broken.push(`p99 of others rose from ${quietP99} to ${besideP99} ms`);
      if (grown > 100 * megabyte) broken.push(`resident memory grew by ${Math.round(grown / megabyte)} MB`);
      await pause(200);
      const left = readdirSync(`/proc/${gateway.child.pid}/fd`).length - idle;
      if (left > 10) broken.push(`${left} connections stayed open`);
      return {
        figures: {
          'kinds of too much': checks.length,
          'slow connections': count,
          'gone after at most (ms)': Math.round(last),
          'p99 of others, quiet and beside them (ms)': `${quietP99.toFixed(1)} and ${besideP99.toFixed(1)}`,
          'resident memory grew by (MB)': Math.round(grown / megabyte),
        },
        broken,
      };
    }),
};

/** What is too much, the status it must get, and the statuses it got. */
async function answers(port: number): Promise<readonly (readonly [string, number, readonly number[]])[]> {
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${masterKey}\r\n`;
  const close = 'Connection: close\r\n';
  const large = 'x'.repeat(1_048_577);
  const bomb = gzipSync(Buffer.alloc(50 * megabyte));
  const valid = '{"model":"m","messages":[{"role":"user","content":"x"}]}';
  const cases: readonly (readonly [string, number, string | Buffer])[] = [
    ['one header of 64 KiB', 431, `${head}X: ${'y'.repeat(65_536)}\r\n\r\n`],
    ['10,000 headers', 431, `${head}${'A: b\r\n'.repeat(10_000)}\r\n`],
    ['a path of 64 KiB', 431, `GET /${'y'.repeat(65_536)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ['a body of one byte too many', 413, `${head}${close}Content-Length: ${large.length}\r\n\r\n${large}`],
    ['the same in chunks', 413, `${head}${close}Transfer-Encoding: chunked\r\n\r\n100001\r\n${large}\r\n0\r\n\r\n`],
    [
      'a gzip bomb',
      413,
      Buffer.concat([
        Buffer.from(`${head}${close}Content-Encoding: gzip\r\nContent-Length: ${bomb.length}\r\n\r\n`),
        bomb,
      ]),
    ],
    ['an announced body of a terabyte', 413, `${head}${close}Content-Length: 1099511627776\r\n\r\n{`],
    ['nothing wrong', 200, `${head}${close}Content-Length: ${valid.length}\r\n\r\n${valid}`],
  ];
  const told: [string, number, readonly number[]][] = [];
  for (const [name, expected, bytes] of cases)
    told.push([name, expected, (await exchangeRaw(port, bytes, 3_000)).statuses]);
  const pipelined = `${head}Content-Length: ${valid.length}\r\n\r\n${valid}`.repeat(20);
  const { statuses } = await exchangeRaw(port, pipelined, 1_000);
  const isInOrder = statuses.length === 20 && statuses.every((status) => status === 200);
  told.push(['20 pipelined requests', 200, isInOrder ? [200] : statuses]);
  return told;
}

/** Sends a byte a second, of its headers or of its body. */
function slowSocket(port: number, inHeaders: boolean): { readonly gone: Promise<number> } {
  const socket = connect(port, '127.0.0.1', () => {
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${masterKey}\r\n`;
    socket.write(inHeaders ? `${head}X: ` : `${head}Content-Length: 100000\r\n\r\n`);
  });
  const drip = setInterval(() => socket.write('x'), 1_000);
  socket.resume();
  socket.on('error', () => {});
  const gone = new Promise<number>((resolve) =>
    socket.on('close', () => {
      clearInterval(drip);
      resolve(performance.now());
    }),
  );
  return { gone };
}

async function latencies(gateway: GatewayProcess, count: number): Promise<number[]> {
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
  const found: number[] = [];
  for (let index = 0; index < count; index++) {
    const startedAt = performance.now();
    const answer = await gateway.post('/v1/chat/completions', body);
    await answer.text();
    found.push(performance.now() - startedAt);
    if (answer.status !== 200) throw new Error(`a request that was in order got ${answer.status}`);
  }
  return found;
}

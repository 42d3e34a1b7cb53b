import { readFile } from 'node:fs/promises';
import type { Clock, Outside, OutsideAnswer, OutsideRequest, Transport } from '../core/ports.ts';
import { OutsideError } from '../core/ports.ts';

const timeoutMsDefault = 10_000;
const connectTimeoutMs = 5_000;
const answerBytesMax = 1024 * 1024;
const fileCharactersMax = 1024 * 1024;

/** Identity services and files with tokens, for what authorises calls to providers. */
export function openOutside(transport: Transport, clock: Clock): Outside {
  return {
    now: () => clock.now(),
    send: (request) => ask(transport, clock, request),
    readFile: async (path) => {
      let text: string;
      try {
        text = await readFile(path, 'utf8');
      } catch (cause) {
        const { code } = cause as { code?: string };
        throw new OutsideError(code === 'ENOENT' ? 'the file is not there' : `the file cannot be read (${code})`);
      }
      if (text.length > fileCharactersMax) throw new OutsideError('the file is too long to hold a token');
      return text;
    },
  };
}

function ask(transport: Transport, clock: Clock, request: OutsideRequest): Promise<OutsideAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<OutsideAnswer>();
  const { origin, pathname, search } = new URL(request.address);
  const timeoutMs = request.timeoutMs ?? timeoutMsDefault;
  const chunks: Buffer[] = [];
  let status = 0;
  let size = 0;
  const timer = clock.setTimer(timeoutMs, () => {
    exchange.cancel();
    reject(new OutsideError('no answer in time'));
  });
  const exchange = transport.send(
    {
      origin,
      path: pathname + search,
      method: request.method,
      headers: [...request.headers, 'accept-encoding', 'identity'],
      body: request.body === null ? null : Buffer.from(request.body),
      connectTimeoutMs: Math.min(connectTimeoutMs, timeoutMs),
      // Asked too seldom for a kept connection to be worth its races.
      freshConnection: true,
    },
    {
      onHeaders(given) {
        status = given;
      },
      onBytes(chunk) {
        chunks.push(chunk);
        size += chunk.length;
        if (size <= answerBytesMax) return;
        timer.cancel();
        exchange.cancel();
        reject(new OutsideError('the answer is too long'));
      },
      onEnd() {
        timer.cancel();
        resolve({ status, body: Buffer.concat(chunks).toString() });
      },
      onError(error) {
        timer.cancel();
        reject(new OutsideError(error.message));
      },
    },
  );
  return promise;
}

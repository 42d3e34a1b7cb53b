import { expect, it } from 'vitest';
import type { Dialect } from '../../core/dialect.ts';
import type { Transport } from '../../core/ports.ts';
import type { Deployment } from '../../core/route.ts';
import type { Gateway } from '../gateway.ts';
import { askForBytes } from './ask-provider.ts';

const piece = Buffer.alloc(1024 * 1024);
const deployment = { provider: { name: 'OpenAI' }, endpoint: { headers: [], origin: 'http://x' } };

/** What comes of an answer of so many pieces of a mebibyte, and whether it was stopped. */
async function answerOf(pieces: number) {
  let isCancelled = false;
  const transport: Pick<Transport, 'send'> = {
    send: (_, listener) => {
      queueMicrotask(() => {
        listener.onHeaders(200, {});
        for (let sent = 0; sent < pieces; sent += 1) listener.onBytes(piece);
        if (!isCancelled) listener.onEnd();
      });
      return { cancel: () => (isCancelled = true) } as unknown as ReturnType<Transport['send']>;
    },
  };
  const clock = { setTimer: () => ({ cancel: () => undefined }), now: () => 0 };
  const gateway = { transport, clock, snapshot: () => ({ secrets: [] }) } as unknown as Gateway;
  const question = { method: 'GET', path: '/', body: null } as const;
  const answer = askForBytes(gateway, deployment as unknown as Deployment, {} as Dialect, question);
  const told = await answer.then((bytes) => bytes.length).catch((cause: unknown) => cause);
  return { told, isCancelled };
}

it('takes an answer whole or not at all', async () => {
  expect(await answerOf(3)).toEqual({ told: 3 * piece.length, isCancelled: false });
  const { told, isCancelled } = await answerOf(257);
  expect(told).toMatchObject({
    code: 'upstream_answer_too_large',
    message: expect.stringContaining('the answer is too large: more than 256 MiB'),
  });
  expect(isCancelled).toBe(true);
});

import { expect, test } from 'vitest';
import type { Outside } from './ports.ts';
import { AuthorizationError } from './provider.ts';
import { sharedTokenSource, TokenSource } from './token-source.ts';

const minuteMs = 60_000;

/** A token every 60 minutes, fetched when `answer` is called. */
function rig() {
  let now = 0;
  let count = 0;
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  const source = new TokenSource<string>(async (outside) => {
    count += 1;
    const name = `token ${count}`;
    await new Promise<void>((resolve, reject) => {
      waiting.push({ resolve, reject });
    });
    return { value: name, expiresAt: outside.now() + 60 * minuteMs };
  });
  const outside = { now: () => now } as Outside;
  return {
    ask: () => source.get(outside),
    at(minutes: number) {
      now = minutes * minuteMs;
    },
    async answer() {
      waiting.shift()?.resolve();
      await settled();
    },
    async fail(error: Error) {
      waiting.shift()?.reject(error);
      await settled();
    },
    fetches: () => count,
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('many wait for one fetch, and those who come later wait for none', async () => {
  const { ask, answer, fetches } = rig();
  const asked = [ask(), ask(), ask()];
  await answer();
  expect(await Promise.all(asked)).toEqual(['token 1', 'token 1', 'token 1']);
  expect(ask()).toBe('token 1');
  expect(fetches()).toBe(1);
});

test('it is renewed before its end while the old one serves', async () => {
  const { ask, answer, at, fetches } = rig();
  const first = ask();
  await answer();
  await first;
  at(56);
  expect(ask()).toBe('token 1');
  expect(ask()).toBe('token 1');
  expect(fetches()).toBe(2);
  await answer();
  expect(ask()).toBe('token 2');
});

test('a failed renewal leaves the old one, is tried again, and is told only once the old one is over', async () => {
  const { ask, answer, at, fail, fetches } = rig();
  const first = ask();
  await answer();
  await first;
  at(56);
  ask();
  await fail(new AuthorizationError('the identity service is down', true));
  expect(ask()).toBe('token 1');
  expect(fetches()).toBe(2);
  at(57);
  expect(ask()).toBe('token 1');
  expect(fetches()).toBe(3);
  at(60);
  const waits = ask();
  await fail(new AuthorizationError('still down', true));
  await expect(waits).rejects.toThrow('still down');
  expect(() => ask()).toThrow('still down');
  expect(fetches()).toBe(3);
  at(61);
  const again = ask();
  await answer();
  expect(await again).toBe('token 4');
});

test('one identity has one source, another has its own', () => {
  const fetch = async () => ({ value: 'x', expiresAt: 1 });
  expect(sharedTokenSource(['a', null], fetch)).toBe(sharedTokenSource(['a', null], fetch));
  expect(sharedTokenSource(['a', 'b'], fetch)).not.toBe(sharedTokenSource(['a', null], fetch));
});

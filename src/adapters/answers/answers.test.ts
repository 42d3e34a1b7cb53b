import { mkdtemp, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../../test/builders.ts';
import type { CachedAnswer, Clock, ResponseCache } from '../../core/ports.ts';
import { Secret } from '../../core/secret.ts';
import { systemClock } from '../system-clock.ts';
import { undiciTransport } from '../undici-transport.ts';
import { DiskAnswers } from './disk.ts';
import { openAnswers } from './open-answers.ts';

const answer = (text: string): CachedAnswer => ({
  body: Buffer.from(text),
  dialect: 'openai-chat',
  modelUsed: 'm',
  storedAt: 1,
});

async function until(holds: () => unknown): Promise<void> {
  const end = Date.now() + 3_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const textOf = async (cache: ResponseCache, key: string) => {
  const found = await cache.get(key);
  return found === undefined ? undefined : Buffer.from(found.body).toString();
};

class MovedClock implements Clock {
  readonly #real = systemClock();
  ahead = 0;
  now = () => this.#real.now() + this.ahead;
  tick = () => this.#real.tick() + this.ahead;
  setTimer = this.#real.setTimer.bind(this.#real);
}

describe('answers on disk', () => {
  let folder: string;
  let clock: MovedClock;
  const open = (bytesMax = 1_000_000) => new DiskAnswers(join(folder, 'answers'), bytesMax, clock, silentLog);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'answers-'));
    clock = new MovedClock();
  });

  it('are found by another process, until they are over', async () => {
    open().set('../../a key', answer('one'), 60_000);
    await until(() => textOf(open(), '../../a key'));
    expect(await open().get('../../a key')).toMatchObject({ dialect: 'openai-chat', modelUsed: 'm', storedAt: 1 });
    expect(await textOf(open(), 'another')).toBeUndefined();
    clock.ahead = 60_001;
    expect(await textOf(open(), '../../a key')).toBeUndefined();
  });

  it('are nobody else’s to read', async () => {
    open().set('k', answer('one'), 60_000);
    await until(() => textOf(open(), 'k'));
    const [name] = await readdir(join(folder, 'answers'));
    expect((await stat(join(folder, 'answers', name!))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'answers'))).mode & 0o777).toBe(0o700);
  });

  it('leave when they are over, or when there is no room: the oldest first', async () => {
    const cache = open(1_000);
    cache.set('short', answer('x'), 1_000);
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
      cache.set(key, answer(key.repeat(100)), 600_000);
      await until(() => textOf(cache, key));
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    clock.ahead = 2_000;
    await cache.tidy();
    expect(await textOf(cache, 'a')).toBeUndefined();
    expect(await textOf(cache, 'f')).toBe('f'.repeat(100));
    expect((await readdir(join(folder, 'answers'))).length).toBeLessThan(6);
  });

  it('are removed by key and all together; files of others stay', async () => {
    const cache = open();
    for (const key of ['a', 'b', 'c']) cache.set(key, answer(key), 60_000);
    for (const key of ['a', 'b', 'c']) await until(() => textOf(cache, key));
    await writeFile(join(folder, 'answers', 'somebody.txt'), 'else');
    await cache.delete(['a', 'never']);
    expect([await textOf(cache, 'a'), await textOf(cache, 'b')]).toEqual([undefined, 'b']);
    await cache.clear();
    expect(await readdir(join(folder, 'answers'))).toEqual(['somebody.txt']);
  });

  it('are a miss where the disk gives something else, or cannot be written', async () => {
    await writeFile(join(folder, 'answers'), 'a file in the place of the folder');
    open().set('k', answer('one'), 60_000);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await textOf(open(), 'k')).toBeUndefined();
  });
});

describe.each(['s3', 'gcs'] as const)('answers in a bucket: %s', (kind) => {
  const objects = new Map<string, Buffer>();
  let server: Server;
  let seen: { method: string; url: string; authorization: string }[] = [];
  let isDown = false;
  let cache: ResponseCache;
  const clock = new MovedClock();
  const transport = undiciTransport();

  beforeEach(async () => {
    objects.clear();
    seen = [];
    isDown = false;
    clock.ahead = 0;
    server = createServer((request, response) => {
      void bytesOf(request).then((body) => {
        const { method = '', url = '' } = request;
        seen.push({ method, url, authorization: request.headers.authorization ?? '' });
        const { pathname, searchParams } = new URL(url, 'http://h');
        const name =
          searchParams.get('name') ??
          decodeURIComponent(
            pathname
              .split('/')
              .slice(kind === 's3' ? 2 : 6)
              .join('/'),
          );
        response.statusCode = 200;
        if (isDown) response.statusCode = 503;
        else if (searchParams.has('prefix')) {
          const names = [...objects.keys()].filter((one) => one.startsWith(searchParams.get('prefix')!));
          response.write(
            kind === 's3'
              ? `<List>${names.map((one) => `<Contents><Key>${one}</Key></Contents>`).join('')}</List>`
              : JSON.stringify({ items: names.map((one) => ({ name: one })) }),
          );
        } else if (method === 'GET') {
          const found = objects.get(name);
          if (found === undefined) response.statusCode = 404;
          else response.write(found);
        } else if (method === 'DELETE') objects.delete(name);
        else objects.set(name, body);
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const identity = { accessKeyId: 'AKID', secretAccessKey: new Secret('secret'), sessionToken: null };
    const place =
      kind === 's3'
        ? ({ kind, endpoint, bucket: 'b', region: 'us-east-1', prefix: 'in/here/', identity } as const)
        : ({ kind, endpoint, bucket: 'b', prefix: 'in/here/', credentials: new Secret('a file') } as const);
    cache = openAnswers(place, { transport, clock }, silentLog, async (written) => `token of ${written}`)!;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('are written, found, over, and removed; objects of others stay', async () => {
    objects.set('in/here/somebody-else', Buffer.from('x'));
    cache.set('one', answer('eins'), 60_000);
    cache.set('two', answer('zwei'), 60_000);
    await until(() => objects.size === 3);
    expect(await textOf(cache, 'one')).toBe('eins');
    expect(await textOf(cache, 'three')).toBeUndefined();
    expect([...objects.keys()].every((name) => name.startsWith('in/here/'))).toBe(true);
    const authorization =
      kind === 's3' ? /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/us-east-1\/s3\// : /^Bearer token of a file$/;
    for (const request of seen) expect(request.authorization).toMatch(authorization);
    await cache.delete(['one']);
    expect(await textOf(cache, 'one')).toBeUndefined();
    clock.ahead = 61_000;
    expect(await textOf(cache, 'two')).toBeUndefined();
    await cache.clear();
    expect([...objects.keys()]).toEqual(['in/here/somebody-else']);
  });

  it('are misses while the store is away, which is then left alone for a while', async () => {
    isDown = true;
    for (let turn = 0; turn < 8; turn++) expect(await textOf(cache, 'one')).toBeUndefined();
    expect(seen).toHaveLength(5);
    isDown = false;
    clock.ahead = 10_001;
    cache.set('one', answer('eins'), 60_000);
    await until(() => textOf(cache, 'one'));
    isDown = true;
    await expect(cache.clear()).rejects.toThrow('The store of cached answers does not answer.');
  });
});

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

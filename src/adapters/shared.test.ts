import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../test/builders.ts';
import { admits, claim, SharedGround, until } from '../../test/servers/shared-ground.ts';
import type { CachedAnswer } from '../core/ports.ts';
import type { Change } from './redis/change-channel.ts';
import type { Shared } from './shared.ts';

const ground = new SharedGround();

const answer = (text: string): CachedAnswer => ({
  body: Buffer.from(text),
  dialect: 'openai-chat',
  modelUsed: 'm',
  storedAt: 5,
});

describe('cached answers', () => {
  it('are shared, whatever their bytes, and end with their time', async () => {
    const [one, other] = (await ground.replicas(2)) as [Shared, Shared];
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31) % 256);
    one.cache.set('binary', { body: bytes, dialect: 'd', modelUsed: null, storedAt: 7 }, 60_000);
    one.cache.set('short', answer('gone soon'), 30);
    await until(async () => (await other.cache.get('binary')) !== undefined);
    const got = (await other.cache.get('binary'))!;
    expect({ ...got, body: null }).toEqual({ body: null, dialect: 'd', modelUsed: null, storedAt: 7 });
    expect(Buffer.compare(got.body, bytes)).toBe(0);
    await sleep(50);
    expect(await other.cache.get('short')).toBeUndefined();
    await other.cache.delete(['binary']);
    expect(await one.cache.get('binary')).toBeUndefined();
  });

  it('are a miss when somebody wrote something else there', async () => {
    const [one] = (await ground.replicas(1)) as [Shared];
    const { connectRedis } = await import('./redis/connect.ts');
    const client = connectRedis(ground.settings());
    await new Promise((resolve) => client.once('ready', resolve));
    const head = { format: 'tollgate-answer-1', dialect: 'd', modelUsed: null, storedAt: 1, bytes: 2 };
    const line = (changes: object) => `${JSON.stringify({ ...head, ...changes })}\n{}`;
    await client.set(`${ground.prefix}:answer:good`, line({}));
    expect((await one.cache.get('good'))?.body.toString()).toBe('{}');
    const garbage = [
      '',
      '{}',
      'x',
      '\n',
      '[]\n',
      'null\n{}',
      line({ bytes: 3 }),
      line({ dialect: 5 }),
      line({ storedAt: 'x' }),
      line({ modelUsed: {} }),
      line({ format: 'other' }),
      Buffer.alloc(10_000, 0xff),
    ];
    for (const [index, value] of garbage.entries()) {
      await client.set(`${ground.prefix}:answer:bad-${index}`, value);
      expect(await one.cache.get(`bad-${index}`)).toBeUndefined();
    }
    await client.hset(`${ground.prefix}:answer:hash`, 'a', 'b');
    for (let times = 0; times < 10; times++) expect(await one.cache.get('hash')).toBeUndefined();
    expect(one.redisIsUp()).toBe(true);
    client.disconnect();
  });

  it('are forgotten on demand, and nothing else in the same Redis is', async () => {
    const [one] = (await ground.replicas(1)) as [Shared];
    const { connectRedis } = await import('./redis/connect.ts');
    const client = connectRedis(ground.settings());
    await new Promise((resolve) => client.once('ready', resolve));
    await client.set('somebody-else', 'stays');
    const limited = claim(1);
    expect(await admits(one, limited)).not.toBeNull();
    for (let index = 0; index < 1_200; index++) one.cache.set(`k${index}`, answer('x'), 60_000);
    await until(async () => (await one.cache.get('k1199')) !== undefined);
    await one.cache.clear();
    expect(await client.keys(`${ground.prefix}:answer:*`)).toEqual([]);
    expect(await client.get('somebody-else')).toBe('stays');
    expect(await admits(one, limited)).toBeNull();
    await client.del('somebody-else');
    client.disconnect();
  });

  it('rest while Redis is away, and an upkeep says so', async () => {
    const [one] = (await ground.replicas(1)) as [Shared];
    one.cache.set('k', answer('x'), 60_000);
    await until(async () => (await one.cache.get('k')) !== undefined);
    await ground.proxy.refuse();
    await until(() => one.redisIsUp() === false);
    expect(await one.cache.get('k')).toBeUndefined();
    one.cache.set('l', answer('x'), 60_000);
    await expect(one.cache.clear()).rejects.toThrow('Redis does not answer');
    await expect(one.cache.delete(['k'])).rejects.toThrow('Redis does not answer');
    await ground.proxy.restore();
    await until(() => one.redisIsUp() === true);
    expect(await one.cache.get('k')).toBeDefined();
  });

  it('are not kept when they are very large', async () => {
    const [one] = (await ground.replicas(1)) as [Shared];
    one.cache.set('large', { ...answer(''), body: Buffer.alloc(3_000_000) }, 60_000);
    one.cache.set('small', answer('x'), 60_000);
    await until(async () => (await one.cache.get('small')) !== undefined);
    expect(await one.cache.get('large')).toBeUndefined();
  });
});

describe('word of changes', () => {
  const heard = (one: Shared): (Change | null)[] => {
    const list: (Change | null)[] = [];
    one.invalidation.onChange((what) => list.push(what));
    return list;
  };
  const commit = (id: string) =>
    ground.store
      .transaction(({ changes }) => changes.append([{ scope: 'key', id }]))
      .then(() => ({ scope: 'key', id }));

  it('is heard here at once and on the others within a second', async () => {
    const [one, other] = (await ground.replicas(2)) as [Shared, Shared];
    const [here, there] = [heard(one), heard(other)];
    const change = await commit('a');
    one.invalidation.announce(change);
    expect(here).toEqual([change]);
    expect(await until(() => there.length > 0)).toBeLessThan(500);
    expect(there[0]).toEqual(change);
  });

  it('is heard without any message: from the counter of the store', async () => {
    const [one] = (await ground.replicas(1)) as [Shared];
    const list = heard(one);
    await ground.proxy.refuse();
    const change = await commit('b');
    expect(await until(() => list.length > 0)).toBeLessThan(2_000);
    expect(list).toEqual([change]);
    const more = await Promise.all(['c', 'd', 'e'].map(commit));
    await until(() => list.length >= 4);
    expect(new Set(list)).toEqual(new Set([change, ...more]));
  });

  it('is: anything may have changed, when too much was missed or the store went back', async () => {
    let newest = 5;
    const changes = {
      newest: async () => newest,
      since: async (version: number) => (version < newest - 2 ? null : []),
    };
    const { Invalidation } = await import('./shared/invalidation.ts');
    const invalidation = new Invalidation({ changes, publish() {}, log: silentLog });
    const list: (Change | null)[] = [];
    invalidation.onChange((what) => list.push(what));
    await invalidation.look();
    expect(list).toEqual([null]);
    newest = 50;
    await invalidation.look();
    expect(list).toEqual([null, null]);
    await invalidation.look();
    expect(list).toHaveLength(2);
    newest = 3;
    await invalidation.look();
    expect(list).toEqual([null, null, null]);
  });

  it('survives garbage on the channel', async () => {
    const [one] = (await ground.replicas(1)) as [Shared];
    const list = heard(one);
    const { connectRedis } = await import('./redis/connect.ts');
    const client = connectRedis(ground.settings());
    await new Promise((resolve) => client.once('ready', resolve));
    for (const text of ['', '{', '{}', '[1]', '[["key"]]', '[["key",5]]']) {
      await client.publish(`${ground.prefix}:changes`, text);
    }
    await client.publish(`${ground.prefix}:changes`, '[["team","t"]]');
    await until(() => list.length > 0);
    expect(list.at(-1)).toEqual({ scope: 'team', id: 't' });
    client.disconnect();
  });
});

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountSpec, BookEntry, Books, LeaseRecord, LeaseRequest, LeaseWant } from '../../src/core/books.ts';
import { accountKey } from '../../src/core/books.ts';
import { noUsage } from '../../src/core/usage.ts';
import { account, entry, requestRecord } from './records.ts';

export interface OpenBooks {
  readonly books: Books;
  close(): Promise<void>;
}

const capped = (id: string, cap: number) => account('team', id, { cap });

function want(spec: AccountSpec, need: number, most = need, headroomDivisor = 1): LeaseWant {
  return { ...spec, cap: spec.cap!, need, want: most, headroomDivisor };
}

/** What every implementation of the books must do. `open` makes empty ones. */
export function booksContract(name: string, open: () => Promise<OpenBooks>): void {
  describe(`books contract: ${name}`, () => {
    let opened: OpenBooks;
    let books: Books;
    let tokens = 0;

    beforeEach(async () => {
      opened = await open();
      books = opened.books;
    });
    afterEach(() => opened.close());

    const acquire = (processId: string, wants: LeaseWant[], changes: Partial<LeaseRequest> = {}) => {
      tokens += 1;
      return books.acquireLease({
        processId,
        token: `token-${tokens}`,
        wants,
        now: 1_000,
        expiresAt: 2_000,
        ...changes,
      });
    };
    const balance = async (spec: AccountSpec) => (await books.balances([spec]))[0];
    const figures = async (spec: AccountSpec) => {
      const { spent, leased } = (await balance(spec))!;
      return { spent, leased };
    };
    const request = (id: string, accounts: BookEntry['accounts'], cost = 0): BookEntry => ({
      record: requestRecord(id, { cost }),
      accounts,
    });

    describe('applying records', () => {
      it('opens accounts, adds deltas and says what was new', async () => {
        const team = capped('t', 100);
        const key = account('key', 'k', { model: 'model-a', duration: '1d', windowStart: 86_400_000 });
        const result = await books.apply({
          processId: 'p',
          entries: [request('a', [entry(team, 5), entry(key, 5)]), request('b', [entry(team, 7)])],
        });
        expect(result.duplicates).toEqual([]);
        expect(new Map(result.accounts.map((row) => [row.key, row.spent]))).toEqual(
          new Map([
            [team.key, 12],
            [key.key, 5],
          ]),
        );
        expect(await balance(key)).toEqual({ ...key, cap: null, spent: 5, leased: 0 });
      });

      it('counts an id once, whether it is repeated in the batch, in a later batch or by another process', async () => {
        const team = capped('t', 100);
        const first = request('a', [entry(team, 5)]);
        const twice = await books.apply({ processId: 'p', entries: [first, first] });
        expect(twice.duplicates).toEqual(['a']);
        const again = await books.apply({ processId: 'p', entries: [first, request('b', [entry(team, 1)])] });
        expect(again.duplicates).toEqual(['a']);
        const other = await books.apply({ processId: 'q', entries: [first] });
        expect(other).toEqual({ duplicates: ['a'], accounts: [] });
        expect(await figures(team)).toEqual({ spent: 6, leased: 0 });
      });

      it('keeps windows of one budget apart', async () => {
        const january = account('key', 'k', { duration: '1mo', windowStart: 1 });
        const february = account('key', 'k', { duration: '1mo', windowStart: 2 });
        await books.apply({ processId: 'p', entries: [request('a', [entry(january, 5)])] });
        await books.apply({ processId: 'p', entries: [request('b', [entry(february, 3)])] });
        const rows = await books.balances([january, february, account('key', 'unknown')]);
        expect(rows.map((row) => [row.windowStart, row.spent]).sort()).toEqual([
          [1, 5],
          [2, 3],
        ]);
      });

      it('takes the covered part out of the lease, and never more than the lease holds', async () => {
        const team = capped('t', 100);
        await acquire('p', [want(team, 10)]);
        await books.apply({ processId: 'p', entries: [request('a', [entry(team, 4, 4)])] });
        expect(await figures(team)).toEqual({ spent: 4, leased: 6 });
        await books.apply({ processId: 'p', entries: [request('b', [entry(team, 9, 9)])] });
        expect(await figures(team)).toEqual({ spent: 13, leased: 0 });
      });

      it('leaves the lease of another process alone', async () => {
        const team = capped('t', 100);
        await acquire('p', [want(team, 10)]);
        await books.apply({ processId: 'q', entries: [request('a', [entry(team, 4, 4)])] });
        expect(await figures(team)).toEqual({ spent: 4, leased: 10 });
      });

      it('records whatever callers and providers made up', async () => {
        const odd = ['\ud800', 'a\0b', '\udc00\ud800', '\u{1f600}'.slice(0, 1), '', '|%|', "'; --", '\ud83d\ude00'];
        const users = odd.map((id) => account('end_user', id, { cap: 100 }));
        const usage = { ...noUsage, inputTokens: 1.5, outputTokens: Number.NaN, cacheReadTokens: 1e300 };
        const entries = odd.map((text, index): BookEntry => {
          const named = { endUserId: text, modelUsed: text, sessionId: text, tags: odd, metadata: { text } };
          return { record: requestRecord(`odd-${index}`, { ...named, usage }), accounts: [entry(users[index]!, 5)] };
        });
        entries.push({ record: requestRecord('plain', { endUserId: null, modelUsed: null }), accounts: [] });
        const { duplicates } = await books.apply({ processId: 'p', entries });
        expect(duplicates).toEqual([]);
        const distinct = new Map(users.map((spec) => [spec.key, spec]));
        const balances = await books.balances([...distinct.values()]);
        expect(balances.reduce((sum, { spent }) => sum + spent, 0)).toBe(5 * odd.length);
        expect((await acquire('p', [want(users[0]!, 1)])).refused).toBeNull();
      });

      it('moves the checkpoint with the batch', async () => {
        expect(await books.checkpoint('p')).toBeNull();
        await books.apply({ processId: 'p', entries: [], checkpoint: { segment: 1, offset: 10 } });
        await books.apply({ processId: 'p', entries: [request('a', [])], checkpoint: { segment: 2, offset: 0 } });
        await books.apply({ processId: 'p', entries: [] });
        expect(await books.checkpoint('p')).toEqual({ segment: 2, offset: 0 });
        expect(await books.checkpoint('q')).toBeNull();
      });

      it('changes nothing when one part of the batch is impossible', async () => {
        const team = capped('t', 100);
        const broken = request('b', [entry(team, Number.MAX_SAFE_INTEGER)]);
        const entries = [request('a', [entry(team, 5)]), broken];
        await expect(books.apply({ processId: 'p', entries, checkpoint: { segment: 9, offset: 9 } })).rejects.toThrow();
        expect(await balance(team)).toBeUndefined();
        expect(await books.checkpoint('p')).toBeNull();
        const after = await books.apply({ processId: 'p', entries: [request('a', [entry(team, 5)])] });
        expect(after.duplicates).toEqual([]);
      });
    });

    describe('leases', () => {
      it('grants what is needed, and more where there is headroom', async () => {
        const team = capped('t', 1_000);
        const answer = await acquire('p', [want(team, 10, 100)]);
        expect(answer.granted).toEqual([
          { key: team.key, windowStart: 0, granted: 100, held: 100, spent: 0, leased: 100, cap: 1_000 },
        ]);
        const smaller = await acquire('q', [want(team, 100, 900, 4)]);
        expect(smaller.granted?.[0]).toMatchObject({ granted: 300, held: 300, leased: 400 });
        const last = await acquire('p', [want(team, 600, 900, 4)]);
        expect(last.granted?.[0]).toMatchObject({ granted: 600, held: 700, leased: 1_000 });
      });

      it('fits to the last nano-dollar and refuses one more, with the figures', async () => {
        const team = capped('t', 100);
        await books.apply({ processId: 'q', entries: [request('a', [entry(team, 30)])] });
        await acquire('q', [want(team, 20)]);
        expect((await acquire('p', [want(team, 50)])).refused).toBeNull();
        const { granted, refused } = await acquire('p', [want(team, 1)]);
        expect(granted).toBeNull();
        expect(refused).toEqual({ key: team.key, windowStart: 0, need: 1, cap: 100, spent: 30, leased: 70, held: 50 });
        expect((await acquire('p', [want(team, 0, 10)])).granted?.[0]?.granted).toBe(0);
      });

      it('takes all or none, and names the first account in key order that does not fit', async () => {
        const [a, b, c] = [capped('a', 100), capped('b', 10), capped('c', 10)];
        const { refused } = await acquire('p', [want(c, 11), want(a, 50), want(b, 11)]);
        expect(refused?.key).toBe(b.key);
        expect((await books.balances([a, b, c])).every((row) => row.leased === 0)).toBe(true);
        expect((await books.leases('p')).every((lease) => lease.amount === 0)).toBe(true);
      });

      it('refuses need 0 when the account is over a lowered cap', async () => {
        await books.apply({ processId: 'p', entries: [request('a', [entry(capped('t', 100), 50)])] });
        expect((await acquire('p', [want(capped('t', 40), 0)])).refused).toMatchObject({ cap: 40, spent: 50 });
      });

      it('gives the same answer again to the same token, without a second effect', async () => {
        const team = capped('t', 100);
        const first = await acquire('p', [want(team, 10)], { token: 'same' });
        expect(await acquire('p', [want(team, 10)], { token: 'same' })).toEqual(first);
        expect(await figures(team)).toEqual({ spent: 0, leased: 10 });
        expect(await acquire('q', [want(team, 10)], { token: 'same' })).not.toEqual(first);

        expect(await books.returnLease('p', 'back', [{ ...team, amount: 4 }], 1_000)).toEqual([4]);
        expect(await books.returnLease('p', 'back', [{ ...team, amount: 4 }], 1_000)).toEqual([4]);
        expect(await figures(team)).toEqual({ spent: 0, leased: 16 });
      });

      it('takes back no more than is out', async () => {
        const [team, other] = [capped('t', 100), capped('other', 100)];
        await acquire('p', [want(team, 10)]);
        const returns = [
          { ...team, amount: 25 },
          { ...other, amount: 1 },
        ];
        expect(await books.returnLease('p', 'back', returns, 1_000)).toEqual([10, 0]);
        expect(await figures(team)).toEqual({ spent: 0, leased: 0 });
      });

      it('writes off what expired, and gives it back to a process that is alive after all', async () => {
        const team = capped('t', 100);
        await acquire('p', [want(team, 60)], { expiresAt: 2_000 });
        await acquire('q', [want(team, 10)], { expiresAt: 5_000 });
        expect(await books.expireLeases(2_000)).toEqual([]);
        const off: LeaseRecord[] = [...(await books.expireLeases(2_001))];
        expect(off).toEqual([
          { processId: 'p', key: team.key, windowStart: 0, amount: 60, expiresAt: 2_000, writtenOff: true },
        ]);
        expect(await books.expireLeases(2_001)).toEqual([]);
        expect(await figures(team)).toEqual({ spent: 60, leased: 10 });
        expect((await acquire('q', [want(team, 31)])).granted).toBeNull();

        const [renewed] = await books.renewLeases('p', 9_000, 3_000);
        expect(renewed).toMatchObject({ amount: 60, expiresAt: 9_000, writtenOff: false });
        expect(await figures(team)).toEqual({ spent: 0, leased: 70 });
      });

      it('brings no end nearer by a renewal or a slice that was long on its way', async () => {
        const team = capped('t', 100);
        await acquire('p', [want(team, 60)], { expiresAt: 2_000 });
        await books.renewLeases('p', 9_000, 3_000);
        expect(await books.renewLeases('p', 5_000, 1_000)).toMatchObject([{ expiresAt: 9_000 }]);
        await acquire('p', [want(team, 1)], { expiresAt: 4_000 });
        expect(await books.expireLeases(8_000)).toEqual([]);
        // Whoever ends them on purpose names a time that is over.
        expect(await books.renewLeases('p', 8_999, 9_000)).toMatchObject([{ expiresAt: 8_999 }]);
        expect(await books.expireLeases(9_000)).toMatchObject([{ amount: 61, writtenOff: true }]);
      });

      it('does not charge twice for what was spent from a lease that was written off', async () => {
        const team = capped('t', 100);
        await acquire('p', [want(team, 60)]);
        await books.expireLeases(3_000);
        await books.apply({ processId: 'p', entries: [request('a', [entry(team, 25, 25)])] });
        expect(await figures(team)).toEqual({ spent: 60, leased: 0 });
        await books.releaseProcess('p');
        expect(await figures(team)).toEqual({ spent: 25, leased: 0 });
      });

      it('releases all that a process holds, and forgets it', async () => {
        const [a, b] = [capped('a', 100), capped('b', 100)];
        await acquire('p', [want(a, 10), want(b, 20)]);
        await acquire('q', [want(b, 5)]);
        await books.apply({ processId: 'p', entries: [], checkpoint: { segment: 1, offset: 1 } });
        await books.releaseProcess('p');
        await books.releaseProcess('p');
        expect((await books.balances([a, b])).map((row) => row.leased).sort()).toEqual([0, 5]);
        expect(await books.leases('p')).toEqual([]);
        expect(await books.checkpoint('p')).toBeNull();
        expect(await books.leases('q')).toHaveLength(1);
      });

      it('admits no more than the cap to processes that ask at the same time', async () => {
        const team = capped('t', 100);
        const asked = Array.from({ length: 30 }, (_, index) => acquire(`p${index % 3}`, [want(team, 7)]));
        const answers = await Promise.all(asked);
        expect(answers.filter(({ granted }) => granted !== null)).toHaveLength(14);
        expect(await figures(team)).toEqual({ spent: 0, leased: 98 });
      });

      it('keeps the books under any interleaving', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 25 }), async (script) => {
            const round = await open();
            try {
              await playLeases(round.books, script);
            } finally {
              await round.close();
            }
          }),
          { numRuns: 25 },
        );
      });
    });

    it('gives accounts whose parts hold the separator different keys', () => {
      const keys = [
        accountKey('team', 'a|b', '', ''),
        accountKey('team', 'a', 'b', ''),
        accountKey('team', 'a%7Cb', '', ''),
        accountKey('team', 'a', 'b|', ''),
      ];
      expect(new Set(keys).size).toBe(keys.length);
    });
  });
}

type Step =
  | { readonly kind: 'acquire'; readonly who: number; readonly on: readonly number[]; need: number; want: number }
  | { readonly kind: 'spend' | 'giveBack'; readonly who: number; readonly share: number }
  | { readonly kind: 'renew' | 'release' | 'expire'; readonly who: number };

const who = fc.integer({ min: 0, max: 2 });
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('acquire' as const),
      who,
      on: fc.uniqueArray(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 3 }),
      need: fc.integer({ min: 0, max: 40 }),
      want: fc.integer({ min: 0, max: 80 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom('spend' as const, 'giveBack' as const),
      who,
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('renew' as const, 'release' as const, 'expire' as const), who }),
  },
);

/** Plays a script with every call sent twice, as if its answer had been lost, two steps at a time. */
async function playLeases(books: Books, script: readonly Step[]): Promise<void> {
  const accounts = [capped('a', 100), capped('b', 150), capped('c', 60)];
  let time = 0;
  let count = 0;
  const recorded = new Map<string, number>();

  const play = async (step: Step) => {
    count += 1;
    const token = `t${count}`;
    const processId = `p${step.who}`;
    time += 10;
    const now = time;
    const held = (await books.leases(processId)).filter(({ amount }) => amount > 0);
    switch (step.kind) {
      case 'acquire': {
        const wants = step.on.map((index) => want(accounts[index]!, step.need, step.want, 2));
        const request = { processId, token, wants, now, expiresAt: now + 20 };
        const first = await books.acquireLease(request);
        if (first.granted !== null) expect(await books.acquireLease(request)).toEqual(first);
        break;
      }
      case 'spend': {
        const entries = held.map((lease, index) => {
          const spec = accounts.find(({ key }) => key === lease.key)!;
          const delta = Math.floor(lease.amount * step.share);
          const id = `${token}-${index}`;
          recorded.set(id, delta);
          return { record: requestRecord(id, { cost: delta, teamId: spec.id }), accounts: [entry(spec, delta, delta)] };
        });
        await books.apply({ processId, entries });
        await books.apply({ processId, entries });
        break;
      }
      case 'giveBack': {
        const returns = held.map((lease) => ({ ...lease, amount: Math.floor(lease.amount * step.share) }));
        const taken = await books.returnLease(processId, token, returns, now);
        expect(await books.returnLease(processId, token, returns, now)).toEqual(taken);
        break;
      }
      case 'renew':
        await books.renewLeases(processId, now + 20, now);
        break;
      case 'release':
        await books.releaseProcess(processId);
        break;
      case 'expire':
        await books.expireLeases(now);
        break;
    }
  };

  for (let index = 0; index < script.length; index += 2) {
    const [one, other] = [script[index]!, script[index + 1]];
    // One process does one thing at a time; different processes do theirs at once.
    if (other !== undefined && other.who !== one.who) await Promise.all([play(one), play(other)]);
    else {
      await play(one);
      if (other !== undefined) await play(other);
    }
    await checkBooks(books, accounts, recorded);
  }
}

async function checkBooks(books: Books, accounts: readonly AccountSpec[], recorded: ReadonlyMap<string, number>) {
  const leases = (await Promise.all(['p0', 'p1', 'p2'].map((id) => books.leases(id)))).flat();
  const rows = await books.balances(accounts);
  let spent = 0;
  for (const row of rows) {
    const own = leases.filter(({ key }) => key === row.key);
    const sum = (off: boolean) =>
      own.filter(({ writtenOff }) => writtenOff === off).reduce((all, { amount }) => all + amount, 0);
    expect(row.leased).toBe(sum(false));
    expect(row.spent + row.leased).toBeLessThanOrEqual(row.cap!);
    spent += row.spent - sum(true);
  }
  expect(spent).toBe([...recorded.values()].reduce((all, delta) => all + delta, 0));
}

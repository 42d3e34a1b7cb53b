import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalFolder } from '../../src/adapters/journal-folder.ts';
import { leasePolicy } from '../../src/adapters/ledger/lease-policy.ts';
import type { LeasedLedger, LedgerOptions } from '../../src/adapters/ledger/ledger.ts';
import { openLedger } from '../../src/adapters/ledger/ledger.ts';
import type { Books } from '../../src/core/books.ts';
import { accountKey } from '../../src/core/books.ts';
import type { BudgetDenial, BudgetRule } from '../../src/core/limits.ts';
import type { BudgetReservation, DispatchNote, Log } from '../../src/core/ports.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import { FakeClock } from '../simulation/fake-clock.ts';
import { SeededChance } from '../simulation/seeded-chance.ts';
import { requestRecord } from './records.ts';

export interface LedgerGround {
  readonly books: Books;
  readonly record: (id: string) => Promise<RequestRecord | undefined>;
  /** The journals as a new process sees them. */
  folder(): JournalFolder;
  /** Ends the process that uses this folder, without warning. */
  kill(folder: JournalFolder): void;
  close(): Promise<void>;
}

const start = Date.parse('2027-01-31T23:50:00Z');

function rule(changes: Partial<BudgetRule> = {}): BudgetRule {
  return {
    scope: 'key',
    id: 'k',
    model: null,
    cap: 1_000,
    softCap: null,
    duration: null,
    timezone: 'UTC',
    increase: null,
    label: 'my key',
    ...changes,
  };
}

function note(id: string): DispatchNote {
  const { status: _, ...rest } = requestRecord(id);
  return rest;
}

const isDenial = (answer: BudgetReservation | BudgetDenial): answer is BudgetDenial => 'rule' in answer;

/** What the ledger must do over any books and any journal folder. */
export function ledgerContract(name: string, open: () => Promise<LedgerGround>): void {
  describe(`ledger contract: ${name}`, () => {
    let ground: LedgerGround;
    let clock: FakeClock;
    let chance: SeededChance;
    let logged: string[];
    const opened: LeasedLedger[] = [];

    beforeEach(async () => {
      ground = await open();
      clock = new FakeClock(start);
      chance = new SeededChance(7);
      logged = [];
    });
    afterEach(async () => {
      for (const ledger of opened.splice(0)) await soon(ledger.close());
      await ground.close();
    });

    const log: Log = {
      debug() {},
      info() {},
      warn: (message) => void logged.push(message),
      error: (message) => void logged.push(message),
    };
    let underway = 0;
    /** Counts the calls that are under way. */
    const counted = (books: Books): Books =>
      new Proxy(books, {
        get:
          (_, name: keyof Books) =>
          async (...words: never[]) => {
            underway += 1;
            try {
              return await (books[name] as (...words: never[]) => Promise<unknown>).apply(books, words);
            } finally {
              underway -= 1;
            }
          },
      });
    /** Lets time pass until the promise is settled; the store may be a real one. */
    async function soon<Value>(value: Value | Promise<Value>): Promise<Value> {
      let done = false;
      const waiting = Promise.resolve(value).finally(() => {
        done = true;
      });
      waiting.catch(() => {});
      while (!done) {
        // The clock stands still while a real store works.
        if (underway === 0) await clock.advance(5);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return waiting;
    }
    async function begin(folder = ground.folder(), changes: Partial<LedgerOptions> = {}): Promise<LeasedLedger> {
      const ledger = await soon(
        openLedger({ books: counted(ground.books), folder, clock, chance, log, alone: true, ...changes }),
      );
      opened.push(ledger);
      return ledger;
    }
    const spentOf = async ({ scope, id, model, duration }: BudgetRule, windowStart = 0) => {
      const key = accountKey(scope, id, model ?? '', duration ?? '');
      return (await ground.books.balances([{ key, windowStart }]))[0]?.spent ?? 0;
    };
    const admitted = async (ledger: LeasedLedger, id: string, rules: BudgetRule[], bound: number) => {
      const answer = await soon(ledger.reserve(id, rules, bound));
      if (isDenial(answer)) throw new Error(`${id} was refused`);
      return answer;
    };
    const refused = async (ledger: LeasedLedger, id: string, rules: BudgetRule[], bound: number) => {
      const answer = await soon(ledger.reserve(id, rules, bound));
      if (!isDenial(answer)) throw new Error(`${id} was admitted`);
      return answer;
    };

    it('answers from memory once it holds a slice, and writes rows and balances together', async () => {
      const ledger = await begin();
      const team = rule({ scope: 'team', id: 't', cap: null });
      const first = await admitted(ledger, 'a', [rule(), team], 100);
      const second = ledger.reserve('b', [rule(), team], 100);
      expect(second).not.toBeInstanceOf(Promise);
      expect(ledger.balance(rule())).toEqual({ spent: 0, held: 200, resetAt: null });
      expect(ledger.balance(team).held).toBe(200);

      for (const [id, reservation] of [['a', first] as const, ['b', second as BudgetReservation] as const]) {
        expect(ledger.dispatched(reservation, note(id))).toBeUndefined();
        ledger.settle(reservation, requestRecord(id, { cost: 30, bound: 100 }));
        ledger.settle(reservation, requestRecord(id, { cost: 99 }));
      }
      ledger.record(requestRecord('c', { status: 'denied' }));
      expect(ledger.balance(rule())).toMatchObject({ spent: 60, held: 0 });
      await soon(ledger.flush());
      expect(await ground.record('a')).toMatchObject({ cost: 30 });
      expect(await ground.record('c')).toMatchObject({ status: 'denied' });
      expect([await spentOf(rule()), await spentOf(team)]).toEqual([60, 60]);
    });

    it('fits to the last nano-dollar and says in figures what does not', async () => {
      const ledger = await begin();
      const month = rule({ duration: '1mo' });
      const most = await admitted(ledger, 'a', [month], 999);
      const denial = await refused(ledger, 'b', [month], 2);
      const resetAt = Date.parse('2027-02-01T00:00:00Z');
      expect(denial).toEqual({ rule: month, cap: 1_000, spent: 0, held: 999, bound: 2, resetAt });
      await admitted(ledger, 'c', [month], 1);
      ledger.settle(most, requestRecord('a', { cost: 400 }));
      await admitted(ledger, 'd', [month], 599);
      await refused(ledger, 'e', [month], 1);
    });

    it('holds on all accounts or on none', async () => {
      const ledger = await begin();
      const team = rule({ scope: 'team', id: 't', cap: 50 });
      expect(await refused(ledger, 'a', [rule(), team], 60)).toMatchObject({ rule: team });
      expect(ledger.balance(rule()).held).toBe(0);
      await admitted(ledger, 'b', [rule()], 1_000);
    });

    it('counts an account once, under the strictest of its rules', async () => {
      const ledger = await begin();
      expect(await refused(ledger, 'a', [rule(), rule({ cap: 10 })], 11)).toMatchObject({ cap: 10 });
      await admitted(ledger, 'b', [rule(), rule()], 1_000);
    });

    it('admits exactly what fits when many ask at once', async () => {
      const ledger = await begin();
      const asked = Array.from({ length: 50 }, (_, number) => ledger.reserve(`r${number}`, [rule()], 70));
      const answers = await soon(Promise.all(asked));
      expect(answers.filter((answer) => !isDenial(answer))).toHaveLength(14);
    });

    it('begins a new window at its start, and settles in the old one', async () => {
      const ledger = await begin();
      const day = rule({ duration: '1d' });
      const old = await admitted(ledger, 'a', [day], 1_000);
      await refused(ledger, 'b', [day], 1);
      await clock.advance(600_000);
      await admitted(ledger, 'c', [day], 1_000);
      ledger.settle(old, requestRecord('a', { cost: 70 }));
      await soon(ledger.flush());
      expect(await spentOf(day, Date.parse('2027-01-31'))).toBe(70);
      expect(await spentOf(day, Date.parse('2027-02-01'))).toBe(0);
    });

    it('follows a cap that is raised, lowered, increased for a while, removed', async () => {
      const ledger = await begin();
      await admitted(ledger, 'a', [rule()], 600);
      await refused(ledger, 'b', [rule({ cap: 700 })], 101);
      await admitted(ledger, 'c', [rule({ cap: 700 })], 100);
      await admitted(ledger, 'd', [rule({ cap: 2_000 })], 1_300);
      const increase = { amount: 50, until: clock.now() + 10_000 };
      await admitted(ledger, 'e', [rule({ cap: 2_000, increase })], 50);
      await clock.advance(20_000);
      await refused(ledger, 'f', [rule({ cap: 2_000, increase })], 1);
      await admitted(ledger, 'g', [rule({ cap: null })], 5_000);
      expect(await refused(ledger, 'h', [rule({ cap: 7_049 })], 1)).toMatchObject({ held: 7_050 });
    });

    it('extends a hold for a second purchase, or not', async () => {
      const ledger = await begin();
      const reservation = await admitted(ledger, 'a', [rule()], 600);
      expect(await soon(ledger.extend(reservation, 400))).toBe(true);
      expect(reservation.bound).toBe(1_000);
      expect(await soon(ledger.extend(reservation, 1))).toBe(false);
      ledger.settle(reservation, requestRecord('a', { cost: 1_000 }));
      expect(ledger.balance(rule())).toMatchObject({ spent: 1_000, held: 0 });
    });

    it('records a cost beyond its bound in full, and says so', async () => {
      const breaches: string[] = [];
      const ledger = await begin(undefined, { onBoundBreach: ({ id }) => void breaches.push(id) });
      const reservation = await admitted(ledger, 'a', [rule()], 10);
      ledger.settle(reservation, requestRecord('a', { cost: 1_200, bound: 10 }));
      await soon(ledger.flush());
      expect(await ground.record('a')).toMatchObject({ cost: 1_200, metadata: { bound_breach: true } });
      expect(await spentOf(rule())).toBe(1_200);
      expect(breaches).toEqual(['a']);
      expect(logged.join()).toContain('more than the bound');
      await refused(ledger, 'b', [rule()], 1);
    });

    it('charges after a death what was sent and not settled, once, and frees the rest', async () => {
      const folder = ground.folder();
      const first = await begin(folder);
      const [sent, unsent, done] = [
        await admitted(first, 'sent', [rule()], 100),
        await admitted(first, 'unsent', [rule()], 200),
        await admitted(first, 'done', [rule()], 300),
      ];
      first.dispatched(sent, note('sent'));
      await soon(first.extend(sent, 11));
      first.dispatched(done, note('done'));
      first.settle(done, requestRecord('done', { cost: 7 }));
      expect(unsent.bound).toBe(200);
      await clock.advance(10);
      opened.splice(0);
      ground.kill(folder);

      const second = await begin();
      expect(second.figures().recovery).toMatchObject({ journals: 1, unknown: 1, unknownCost: 111 });
      expect(await ground.record('sent')).toMatchObject({ status: 'unknown', cost: 111, bound: 111 });
      expect(await ground.record('done')).toMatchObject({ status: 'success', cost: 7 });
      expect(await ground.record('unsent')).toBeUndefined();
      expect(await spentOf(rule())).toBe(118);
      await admitted(second, 'next', [rule()], 882);
      await refused(second, 'over', [rule()], 1);
    });

    it('gives back what a settlement freed only when its line is in the file', async () => {
      const folder = ground.folder();
      // Beats come sooner than the line of a settlement, which waits for company.
      const policy = { ...leasePolicy(false), heartbeatMs: 2 };
      // Its time ends with it.
      const lifetime = new FakeClock(start);
      const first = await begin(folder, { alone: false, leasePolicy: policy, clock: lifetime });
      const reservation = await admitted(first, 'a', [rule()], 900);
      first.dispatched(reservation, note('a'));
      first.settle(reservation, requestRecord('a', { cost: 10 }));
      await lifetime.advance(3);
      while (underway > 0) await new Promise((resolve) => setImmediate(resolve));
      opened.splice(0);
      ground.kill(folder);

      const second = await begin();
      expect(second.figures().recovery).toMatchObject({ records: 1, unknown: 0 });
      await admitted(second, 'b', [rule()], 990);
    });

    it('does not replay the journal of a process that lives', async () => {
      const first = await begin();
      const reservation = await admitted(first, 'a', [rule()], 100);
      first.dispatched(reservation, note('a'));
      const second = await begin();
      expect(second.figures().recovery.journals).toBe(0);
    });

    it('leaves nothing behind after an orderly end', async () => {
      const folder = ground.folder();
      const ledger = await begin(folder);
      ledger.settle(await admitted(ledger, 'a', [rule()], 100), requestRecord('a', { cost: 5 }));
      await soon(ledger.close());
      opened.splice(0);
      expect(ground.folder().owners()).toEqual([]);
      expect(await ground.books.leases(ledger.processId)).toEqual([]);
      expect(await spentOf(rule())).toBe(5);
    });

    it('gives idle slices back to another process in time for a request that waits', async () => {
      const first = await begin(undefined, { alone: false });
      const second = await begin(undefined, { alone: false });
      first.settle(await admitted(first, 'a', [rule()], 100), requestRecord('a', { cost: 1 }));
      await admitted(second, 'b', [rule()], 999);
      expect(await refused(second, 'c', [rule()], 1)).toMatchObject({ spent: 1, held: 999 });
    });

    it('does not spend a slice under a cap that was lowered, while others hold slices too', async () => {
      const first = await begin(undefined, { alone: false });
      const second = await begin(undefined, { alone: false });
      await admitted(first, 'a', [rule()], 20);
      await admitted(second, 'b', [rule()], 20);
      const low = rule({ cap: 60 });
      await admitted(first, 'c', [low], 10);
      await admitted(second, 'd', [low], 10);
      await refused(first, 'e', [low], 1);
    });
  });
}

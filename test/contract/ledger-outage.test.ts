import { beforeEach, describe, expect, it } from 'vitest';
import type { LeasedLedger } from '../../src/adapters/ledger/ledger.ts';
import { openLedger } from '../../src/adapters/ledger/ledger.ts';
import { accountKey } from '../../src/core/books.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { BudgetDenial, BudgetRule } from '../../src/core/limits.ts';
import type { BudgetReservation, Log } from '../../src/core/ports.ts';
import { FakeClock } from '../simulation/fake-clock.ts';
import type { Faults } from '../simulation/faulty-books.ts';
import { faultyBooks, noFaults } from '../simulation/faulty-books.ts';
import { MemoryDisk, MemoryJournalFolder } from '../simulation/memory-journals.ts';
import { ModelBooks } from '../simulation/model-books.ts';
import { SeededChance } from '../simulation/seeded-chance.ts';
import { requestRecord } from './records.ts';

/* What the ledger does while the store or the disk is away. */

const hard: BudgetRule = {
  scope: 'key',
  id: 'k',
  model: null,
  cap: 1_000_000,
  softCap: null,
  duration: null,
  timezone: 'UTC',
  increase: null,
  label: 'k',
};
const counted: BudgetRule = { ...hard, scope: 'team', id: 't', cap: null };
const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

let clock: FakeClock;
let books: ModelBooks;
let disk: MemoryDisk;
let faults: Faults;
let ledger: LeasedLedger;

beforeEach(async () => {
  clock = new FakeClock(Date.parse('2027-01-01'));
  books = new ModelBooks();
  disk = new MemoryDisk();
  faults = noFaults();
  const chance = new SeededChance(1);
  ledger = await openLedger({
    books: faultyBooks(books, clock, chance, faults, () => true),
    folder: new MemoryJournalFolder(disk),
    clock,
    chance,
    log: silent,
    alone: true,
    journalSizes: { segmentBytes: 20_000, unwrittenBytesMax: 50_000 },
    flushPolicy: { delayMs: 25, batchMax: 20, pendingMax: 50 },
  });
});

async function hold(id: string, rule: BudgetRule, bound = 10): Promise<BudgetReservation> {
  const answer: BudgetReservation | BudgetDenial | Promise<BudgetReservation | BudgetDenial> = ledger.reserve(
    id,
    [rule],
    bound,
  );
  if (answer instanceof Promise) await clock.advance(10);
  const reservation = await answer;
  if ('rule' in reservation) throw new Error('refused');
  return reservation;
}

async function buy(id: string, rule: BudgetRule): Promise<void> {
  const reservation = await hold(id, rule);
  const { status: _, ...note } = requestRecord(id);
  ledger.dispatched(reservation, note);
  ledger.settle(reservation, requestRecord(id, { cost: 7 }));
}

describe('a store that is away', () => {
  it('refuses nothing by the figures of an answer that was lost and is told again', async () => {
    const small: BudgetRule = { ...hard, id: 'small', cap: 1_000 };
    const key = accountKey('key', 'small', '', '');
    const elsewhere = { key, windowStart: 0, scope: 'key', id: 'small', model: '', duration: '' } as const;
    const want = { ...elsewhere, cap: 1_000, need: 900, want: 900, headroomDivisor: 1 };
    const now = clock.now();
    await books.acquireLease({ processId: 'other', token: 'a', wants: [want], expiresAt: now - 1, now });
    await books.expireLeases(now);
    faults.lostReply = 1;
    const refused = expect(ledger.reserve('a', [small], 50)).rejects.toThrow('does not answer');
    await clock.advance(3_000);
    await refused;
    // Meanwhile it is known that the other one had spent nothing.
    await books.releaseProcess('other');
    faults.lostReply = 0;
    let answer: unknown;
    for (let turn = 0; turn < 100 && answer === undefined; turn++) {
      const asked = Promise.resolve(ledger.reserve(`b${turn}`, [small], 500)).catch(() => undefined);
      await clock.advance(200);
      answer = await Promise.race([asked, Promise.resolve()]);
    }
    expect(answer).toBeDefined();
    expect(answer).not.toHaveProperty('rule');
  });

  it('costs no request that a slice covers, spools to the journal in bounded memory, and catches up by itself', async () => {
    // Slices grow with what is used.
    for (let number = 0; number < 1_000; number++) await buy(`first${number}`, hard);
    await clock.advance(1_000);
    faults.down = true;
    for (let number = 0; number < 500; number++) await buy(`r${number}`, hard);
    await clock.advance(5_000);
    expect(ledger.figures().pendingRecords).toBeGreaterThan(490);
    expect(ledger.figures().spooledRecords).toBeGreaterThan(440);
    expect(ledger.figures().storeFailures).toBeGreaterThan(0);
    expect(books.records.size).toBeLessThan(1_010);

    faults.down = false;
    await clock.advance(20_000);
    expect(books.records.size).toBe(1_500);
    expect(ledger.figures()).toMatchObject({ pendingRecords: 0, spooledRecords: 0 });
    expect([...books.accounts.values()][0]).toMatchObject({ spent: 1_500 * 7 });
    // What the store has is gone from the disk.
    const [segments] = [...disk.journals.values()];
    expect(segments!.size).toBeLessThanOrEqual(2);
  });

  it('refuses with 503 what no slice covers, and admits again when it is back', async () => {
    faults.down = true;
    const answer = Promise.resolve(ledger.reserve('a', [hard], 10)).catch((cause: unknown) => cause);
    await clock.advance(6_000);
    const refusal = await answer;
    expect(refusal).toBeInstanceOf(GatewayError);
    expect(refusal).toMatchObject({ code: 'budget_store_unavailable', status: 503 });
    expect(ledger.figures()).toMatchObject({ openHolds: 0, waiting: 0 });

    faults.down = false;
    await clock.advance(6_000);
    await buy('b', hard);
    await buy('c', counted);
  });

  it('does not stand in the way of requests without a cap', async () => {
    faults.down = true;
    await buy('a', counted);
  });
});

describe('a disk that is full', () => {
  it('refuses what is under a hard budget before it is sent, and nothing else', async () => {
    await buy('before', hard);
    disk.full = true;
    const reservation = await hold('a', hard);
    const { status: _, ...note } = requestRecord('a');
    expect(() => ledger.dispatched(reservation, note)).toThrow(GatewayError);
    ledger.settle(reservation, requestRecord('a', { status: 'failure', cost: 0 }));
    await buy('b', counted);
    expect(ledger.figures().journalWritable).toBe(false);
    expect(ledger.balance(hard).held).toBe(0);

    disk.full = false;
    await buy('c', hard);
    await clock.advance(1_000);
    expect(ledger.figures()).toMatchObject({ journalWritable: true, pendingRecords: 0 });
    expect([...books.records.keys()].sort()).toEqual(['a', 'b', 'before', 'c']);
  });

  it('takes no more than so much into memory', async () => {
    faults.down = true;
    disk.full = true;
    await expect(
      (async () => {
        for (let number = 0; number < 200; number++) await buy(`r${number}`, counted);
      })(),
    ).rejects.toMatchObject({ code: 'budget_store_unavailable' });
  });
});

describe('notes of one turn of the event loop', () => {
  it('go to the disk in one write before anything is sent, or nothing under a hard budget is', async () => {
    const writes: number[] = [];
    const folder = new MemoryJournalFolder(disk, (length) => {
      writes.push(length);
      return null;
    });
    const shared = { books, clock, log: silent, alone: true, chance: new SeededChance(2) };
    ledger = await openLedger({ ...shared, folder, atEndOfTurn: setImmediate });
    const holds = [await hold('a', hard), await hold('b', hard), await hold('c', counted)];
    const sendAll = () =>
      Promise.allSettled(
        holds.map((reservation) => {
          const { status: _, ...note } = requestRecord(reservation.requestId);
          return ledger.dispatched(reservation, note);
        }),
      );
    const sending = sendAll();
    expect(writes).toEqual([]);
    expect((await sending).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(writes).toHaveLength(1);

    disk.full = true;
    expect((await sendAll()).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });
});

describe('an orderly end', () => {
  it('gives the slices back though requests came to their end while it waited for the store', async () => {
    await buy('a', hard);
    await clock.advance(100);
    const open = await hold('b', hard);
    const { status: _, ...note } = requestRecord('b');
    ledger.dispatched(open, note);
    faults.delayMs = 200;
    const asked = Promise.resolve(ledger.reserve('c', [{ ...hard, id: 'other' }], 10)).catch(() => null);
    await clock.advance(1);
    const closing = ledger.close();
    const settled = asked.then(() => ledger.settle(open, requestRecord('b', { cost: 7 })));
    await clock.advance(15_000);
    await Promise.all([closing, settled]);
    expect(books.records.get('b')).toMatchObject({ cost: 7 });
    expect(await books.leases(ledger.processId)).toEqual([]);
    expect(disk.journals.size).toBe(0);
  });
});

describe('a sibling that dies', () => {
  it('is found by the replicas that live on the same disk', async () => {
    const folder = new MemoryJournalFolder(disk);
    const shared = { books, clock, log: silent, alone: false };
    const dying = await openLedger({ ...shared, folder, chance: new SeededChance(2) });
    const living = await openLedger({ ...shared, folder: new MemoryJournalFolder(disk), chance: new SeededChance(3) });
    const asked = Promise.resolve(dying.reserve('a', [hard], 10));
    await clock.advance(10);
    const reservation = (await asked) as BudgetReservation;
    const { status: _, ...note } = requestRecord('a');
    dying.dispatched(reservation, note);
    folder.die();
    await clock.advance(40_000);
    expect(books.records.get('a')).toMatchObject({ status: 'unknown', cost: 10 });
    const closing = living.close();
    await clock.advance(100);
    await closing;
  });
});

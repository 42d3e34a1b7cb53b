import type { LeasedLedger } from '../../src/adapters/ledger/ledger.ts';
import { openLedger } from '../../src/adapters/ledger/ledger.ts';
import { createMemoryLimiter } from '../../src/adapters/memory/limiter.ts';
import { memoryResponseCache } from '../../src/adapters/memory/response-cache.ts';
import { StoreClock } from '../../src/adapters/store-clock.ts';
import { createDescribeReply } from '../../src/compat/litellm/response-headers.ts';
import type { AccountRef, Books, Recalls } from '../../src/core/books.ts';
import type { Chance, Clock, DispatchNote, RecordSink, Transport } from '../../src/core/ports.ts';
import type { Snapshot } from '../../src/core/route.ts';
import { dialects } from '../../src/dialects/index.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { createHealth } from '../../src/gateway/routing/health.ts';
import { gateway, silentLog } from '../builders.ts';
import type { FakeClock } from './fake-clock.ts';
import type { MemoryDisk } from './memory-journals.ts';
import { MemoryJournalFolder } from './memory-journals.ts';
import type { Ask, Incarnation, Oracle } from './oracle.ts';
import { type Tenants, TenantView } from './tenants.ts';
import { WatchedLedger } from './watched-ledger.ts';
import { WatchedLimiter } from './watched-limiter.ts';

/** What a process is surrounded by. */
export interface Surroundings {
  readonly clock: FakeClock;
  readonly chance: Chance;
  /** By which gateways choose among deployments. */
  readonly routing: Chance;
  readonly disk: MemoryDisk;
  readonly oracle: Oracle;
  readonly tenants: Tenants;
  readonly alone: boolean;
  /** The store as this process reaches it. */
  books(replica: Replica, clock: Clock): Books;
  /** The store's time, over the same way. */
  time(replica: Replica, clock: Clock): Promise<number>;
  transport(replica: Replica): Transport;
  recalls(replica: Replica): Recalls | null;
  snapshot(): Snapshot;
  readonly sink: RecordSink;
  /** At every write of a journal: how many bytes reach the disk before the process dies; null = it lives on. */
  fate(replica: Replica, length: number): number | null;
  failed(replica: Replica, ask: Ask, cause: unknown): void;
  dispatched(replica: Replica, note: DispatchNote): void;
  guard(work: () => void): void;
}

const wordMs = 1_000;
const describeReply = createDescribeReply('0');

/** A process: dead or starting, or up with its gateway. It can die at any moment, be stopped for a while, and end well. */
export class Replica {
  readonly #world: Surroundings;
  process: Incarnation = { crashed: true, isClosing: false, wasCut: false, processId: '', now: () => 0 };
  /** How much its machine's clock is wrong, and where its monotonic time began. */
  skewMs = 0;
  #tickStart = 0;
  folder: MemoryJournalFolder | null = null;
  ledger: LeasedLedger | null = null;
  gateway: Gateway | null = null;
  tenants: TenantView | null = null;
  limiter: WatchedLimiter | null = null;
  isStarting = false;
  /** Takes nothing new. */
  isStopping = false;
  /** Simulated milliseconds since when it stands still; null = it runs. */
  pausedSince: number | null = null;
  isCutOff = false;
  /** Simulated milliseconds since when it runs without a break, a second for what it missed included. */
  ranSince = 0;
  deaths = 0;
  #held: (() => void)[] = [];
  recall: (account: AccountRef) => void = () => {};

  constructor(world: Surroundings) {
    this.#world = world;
  }

  get isUp(): boolean {
    return this.gateway !== null;
  }

  async start(): Promise<void> {
    if (this.ledger !== null || this.isStarting || this.isStopping) return;
    const world = this.#world;
    this.isStarting = true;
    const process: Incarnation = { crashed: false, isClosing: false, wasCut: false, processId: '', now: () => 0 };
    this.process = process;
    const isAlive = () => !process.crashed;
    this.#tickStart = world.chance.fraction() * 1e7;
    const machine = this.#clockOf(process);
    this.folder = new MemoryJournalFolder(world.disk, (length) => world.fate(this, length));
    this.recall = () => {};
    try {
      const ask = () => world.time(this, machine);
      const clock = world.alone ? machine : await StoreClock.follow({ machine, ask, log: silentLog });
      if (!isAlive()) return;
      process.now = () => clock.now();
      const ledger = await openLedger({
        books: world.books(this, clock),
        folder: this.folder,
        clock,
        chance: world.chance,
        log: silentLog,
        alone: world.alone,
        recalls: world.recalls(this),
        // As the program does it, or each line for itself.
        ...(world.chance.fraction() < 0.5 ? {} : { atEndOfTurn: (work) => world.clock.atEndOfTurn(work) }),
        journalSizes: { segmentBytes: 8_000, unwrittenBytesMax: 1_000_000 },
        flushPolicy: { delayMs: 25, batchMax: 20, pendingMax: 30 },
      });
      if (!isAlive()) return;
      this.ledger = ledger;
      process.processId = ledger.processId;
      this.isStarting = false;
      this.#open(ledger, process, clock);
    } catch {
      // The store did not answer: a later start tries again.
      if (isAlive()) this.die();
    }
  }

  #open(ledger: LeasedLedger, process: Incarnation, clock: Clock): void {
    const world = this.#world;
    const watch = {
      oracle: world.oracle,
      process,
      failed: (ask: Ask, cause: unknown) => world.failed(this, ask, cause),
      guard: (work: () => void) => world.guard(work),
      dispatched: (note: DispatchNote) => world.dispatched(this, note),
      isDiskFull: () => world.disk.full,
      settlesTwice: () => world.chance.fraction() < 0.1,
    };
    this.tenants = new TenantView(world.tenants);
    this.limiter = new WatchedLimiter(createMemoryLimiter(clock), clock, watch.guard);
    this.gateway = gateway({
      clock,
      chance: world.routing,
      transport: world.transport(this),
      ledger: new WatchedLedger(ledger, watch),
      limiter: this.limiter,
      cache: memoryResponseCache(1_000_000, clock),
      principals: this.tenants,
      idempotency: null,
      dialects,
      health: createHealth(clock),
      sinks: [{ record: (row, ...rest) => process.crashed || world.sink.record(row, ...rest) }],
      log: silentLog,
      describeReply,
      snapshot: () => world.snapshot(),
    });
  }

  /** The end that leaves no time for anything. */
  die(): void {
    if (this.process.crashed) return;
    if (this.ledger !== null) this.deaths += 1;
    this.process.crashed = true;
    this.folder?.die();
    this.#gone();
    this.#world.oracle.died(this.process);
  }

  /** Finishes in good order; resolves when nothing of it is left. */
  async close(): Promise<void> {
    const { ledger } = this;
    if (ledger === null) return;
    this.isStopping = true;
    this.gateway = null;
    this.process.isClosing = true;
    const { oracle } = this.#world;
    this.process.wasCut = oracle.openCount(this.process) > 0 || oracle.askCount(this.process) > 0;
    await ledger.close();
    // What a full disk does not take of the last words is lost, as if it had died.
    this.process.wasCut ||= this.#world.disk.full;
    if (this.ledger === ledger) this.#gone();
  }

  #gone(): void {
    this.ledger = null;
    this.gateway = null;
    this.tenants = null;
    this.limiter = null;
    this.isStarting = false;
    this.isStopping = false;
    this.pausedSince = null;
    this.#held = [];
    this.recall = () => {};
  }

  pause(): void {
    this.pausedSince ??= this.#world.clock.now();
  }

  resume(): void {
    if (this.pausedSince === null) return;
    this.#world.oracle.slept(this.pausedSince);
    this.pausedSince = null;
    this.ranSince = this.#world.clock.now() + wordMs;
    for (const work of this.#held.splice(0)) work();
  }

  /** Now, or when the process runs again. */
  whenRunning(process: Incarnation, work: () => void): void {
    if (process.crashed) return;
    if (this.pausedSince === null || this.process !== process) work();
    else this.#held.push(() => process.crashed || work());
  }

  #clockOf(process: Incarnation): Clock {
    const { clock } = this.#world;
    return {
      now: () => clock.now() + this.skewMs,
      tick: () => clock.tick() + this.#tickStart,
      setTimer: (delayMs, callback) => {
        let isCancelled = false;
        const timer = clock.setTimer(delayMs, () =>
          this.whenRunning(process, () => {
            if (!isCancelled) callback();
          }),
        );
        return {
          cancel: () => {
            isCancelled = true;
            timer.cancel();
          },
        };
      },
    };
  }
}

import type { LeasedLedger } from '../../src/adapters/ledger/ledger.ts';
import { openLedger } from '../../src/adapters/ledger/ledger.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { BudgetRule } from '../../src/core/limits.ts';
import type { BudgetReservation, Clock, Log } from '../../src/core/ports.ts';
import { requestRecord } from '../contract/records.ts';
import { FakeClock } from './fake-clock.ts';
import type { Faults } from './faulty-books.ts';
import { faultyBooks, noFaults } from './faulty-books.ts';
import { MemoryDisk, MemoryJournalFolder } from './memory-journals.ts';
import { ModelBooks } from './model-books.ts';
import type { Incarnation, SimulatedRequest } from './oracle.ts';
import { accountName, Oracle, Violation } from './oracle.ts';
import { SeededChance } from './seeded-chance.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** A simulated replica: its ledger while it is up. */
interface Replica {
  incarnation: Incarnation;
  folder: MemoryJournalFolder;
  ledger: LeasedLedger | null;
  starting: boolean;
}

interface OpenRequest {
  readonly request: SimulatedRequest;
  readonly reservation: BudgetReservation;
  readonly replica: Replica;
  readonly ledger: LeasedLedger;
  sent: boolean;
}

/** Everything around the ledger, made of one seed: clock, store, disk, replicas, budgets, and who knows the truth. */
export class World {
  readonly chance: SeededChance;
  readonly clock: FakeClock;
  readonly books = new ModelBooks();
  readonly disk = new MemoryDisk();
  readonly faults: Faults = noFaults();
  readonly oracle: Oracle;
  readonly replicas: Replica[] = [];
  readonly rules: BudgetRule[];
  readonly #alone: boolean;
  readonly #breaches: boolean;
  #open: OpenRequest[] = [];
  #count = 0;
  /** How often a replica that was up died. */
  deaths = 0;
  #violation: unknown;
  /** Unix milliseconds until when an error instead of a decision is understandable. */
  #excusedUntil = 0;

  constructor(seed: number) {
    this.chance = new SeededChance(seed);
    this.clock = new FakeClock(Date.parse('2027-03-27T20:00:00Z') + this.chance.between(0, 86_400_000));
    const replicaCount = this.chance.pick([1, 1, 2, 3]);
    this.#alone = replicaCount === 1;
    this.#breaches = this.chance.happens(0.2);
    this.oracle = new Oracle(this.books, this.#alone, () => this.clock.now());
    this.rules = this.#makeRules();
    for (let index = 0; index < replicaCount; index++) {
      this.replicas.push({
        incarnation: { crashed: true },
        folder: new MemoryJournalFolder(this.disk),
        ledger: null,
        starting: false,
      });
    }
  }

  #makeRules(): BudgetRule[] {
    const scopes = [
      ...['k1', 'k2', 'k3', 'k4'].map((id) => ['key', id] as const),
      ['team', 't1'] as const,
      ['team', 't2'] as const,
      ['organization', 'o1'] as const,
    ];
    return scopes.map(([scope, id]) => ({
      scope,
      id,
      model: null,
      cap: this.chance.happens(0.8) ? this.#anyCap() : null,
      softCap: null,
      duration: this.chance.pick([null, '1h', '1d']),
      timezone: 'Europe/Berlin',
      increase: null,
      label: id,
    }));
  }

  #anyCap(): number {
    return this.chance.pick([0, 500, 2_000, 10_000, 50_000]) + this.chance.between(0, 500);
  }

  async start(replica: Replica): Promise<void> {
    if (replica.ledger !== null || replica.starting) return;
    replica.starting = true;
    const incarnation: Incarnation = { crashed: false };
    const folder = new MemoryJournalFolder(this.disk, (length) => {
      if (!this.chance.happens(0.001)) return null;
      this.deaths += 1;
      incarnation.crashed = true;
      replica.ledger = null;
      replica.starting = false;
      return this.chance.between(0, length);
    });
    const alive = () => !incarnation.crashed;
    const clock: Clock = {
      now: () => this.clock.now(),
      tick: () => this.clock.tick(),
      setTimer: (delayMs, callback) => this.clock.setTimer(delayMs, () => alive() && callback()),
    };
    replica.incarnation = incarnation;
    replica.folder = folder;
    try {
      const ledger = await openLedger({
        books: faultyBooks(this.books, clock, this.chance, this.faults, alive),
        folder,
        clock,
        chance: this.chance,
        log: silent,
        alone: this.#alone,
        journalSizes: { segmentBytes: 2_000, unwrittenBytesMax: 1_000_000 },
        flushPolicy: { delayMs: 25, batchMax: 20, pendingMax: 30 },
      });
      if (!alive()) return;
      replica.ledger = ledger;
      replica.starting = false;
    } catch {
      // The store did not answer: a later start tries again.
      if (!alive()) return;
      incarnation.crashed = true;
      replica.starting = false;
      folder.die();
    }
  }

  crash(replica: Replica): void {
    if (replica.ledger !== null) this.deaths += 1;
    replica.incarnation.crashed = true;
    replica.folder.die();
    replica.ledger = null;
    replica.starting = false;
  }

  ask(): void {
    const replica = this.chance.pick(this.replicas);
    const { ledger } = replica;
    if (ledger === null) return;
    const chain = [
      this.rules[this.chance.between(0, 3)]!,
      this.rules[this.chance.between(4, 5)]!,
      ...(this.chance.happens(0.7) ? [this.rules[6]!] : []),
    ];
    const now = this.clock.now();
    this.#count += 1;
    const caps = chain.map((rule) => [accountName(rule, now), rule.cap] as const);
    const request: SimulatedRequest = {
      id: `r${this.#count}`,
      incarnation: replica.incarnation,
      chain: new Map(caps),
      ceilings: new Map(caps),
      bound: this.chance.between(1, this.chance.pick([20, 400, 3_000])),
      state: 'waiting',
      noted: false,
      billed: null,
      cost: 0,
      unwritten: false,
      refusable: false,
    };
    const { bound } = request;
    for (const [name, cap] of request.chain) this.oracle.sawCap(name, cap);
    this.oracle.requests.push(request);
    this.oracle.observe();
    const answer = ledger.reserve(request.id, chain, bound);
    if (!(answer instanceof Promise)) this.#answered(request, replica, ledger, answer);
    else {
      answer.then(
        (late) => this.#guard(() => this.#answered(request, replica, ledger, late)),
        (cause) => this.#guard(() => this.#failed(request, cause)),
      );
    }
  }

  #answered(
    request: SimulatedRequest,
    replica: Replica,
    ledger: LeasedLedger,
    answer: Awaited<ReturnType<LeasedLedger['reserve']>>,
  ): void {
    if ('rule' in answer) {
      this.oracle.refused(request, answer);
      ledger.record(requestRecord(request.id, { status: 'denied', cost: 0, bound: request.bound }));
      return;
    }
    this.oracle.admitted(request);
    this.#open.push({ request, reservation: answer, replica, ledger, sent: false });
  }

  #failed(request: SimulatedRequest, cause: unknown): void {
    request.state = 'failed';
    if (!(cause instanceof GatewayError)) throw cause;
    if (this.clock.now() > this.#excusedUntil)
      throw new Violation(`T2: ${request.id} got ${cause.code} without a fault`);
  }

  dispatch(): void {
    const open = this.#pickOpen((candidate) => !candidate.sent);
    if (open === undefined) return;
    const { request, ledger, reservation } = open;
    const { status: _, ...record } = requestRecord(request.id, { bound: request.bound });
    request.noted = true;
    try {
      ledger.dispatched(reservation, record);
    } catch (cause) {
      if (!(cause instanceof GatewayError)) throw cause;
      if (!request.incarnation.crashed) this.#settle(open, 0);
      return;
    }
    if (request.incarnation.crashed) return;
    open.sent = true;
    request.unwritten = this.disk.full;
    request.billed = this.chance.between(0, request.bound);
    if (this.#breaches && this.chance.happens(0.03)) {
      request.billed = request.bound + this.chance.between(1, 200);
      for (const account of request.chain.keys()) {
        this.oracle.excused.add(account);
        this.oracle.unseen.add(account);
      }
    }
  }

  settle(): void {
    const open = this.#pickOpen(() => true);
    if (open !== undefined) this.#settle(open, open.request.billed ?? 0);
  }

  #settle(open: OpenRequest, cost: number): void {
    const { request, ledger, reservation } = open;
    this.#open.splice(this.#open.indexOf(open), 1);
    request.cost = cost;
    request.state = 'settled';
    ledger.settle(reservation, requestRecord(request.id, { cost, bound: reservation.bound }));
    if (this.chance.happens(0.1)) ledger.settle(reservation, requestRecord(request.id, { cost: cost + 7 }));
  }

  /** A second purchase after an ambiguous failure. */
  extend(): void {
    const open = this.#pickOpen((candidate) => candidate.sent);
    if (open === undefined || open.request.state !== 'open') return;
    const { request, ledger, reservation } = open;
    const extra = this.chance.between(1, 300);
    const held = (admitted: boolean) => {
      if (!admitted || request.incarnation.crashed) return;
      request.bound += extra;
      if (this.disk.full) request.unwritten = true;
      this.oracle.checkCaps(request);
      if (request.state === 'open') request.billed! += this.chance.between(0, extra);
    };
    try {
      const answer = ledger.extend(reservation, extra);
      if (!(answer instanceof Promise)) held(answer);
      else {
        // Until it is decided nothing else happens to this request.
        this.#open.splice(this.#open.indexOf(open), 1);
        answer.then(
          (late) =>
            this.#guard(() => {
              this.#open.push(open);
              held(late);
            }),
          () => this.#guard(() => this.#open.push(open)),
        );
      }
    } catch (cause) {
      // The disk is full: the extension did not happen.
      if (!(cause instanceof GatewayError)) throw cause;
    }
  }

  changeCap(): void {
    const index = this.chance.between(0, this.rules.length - 1);
    const old = this.rules[index]!;
    const cap = this.chance.happens(0.15) ? null : this.#anyCap();
    const increase = this.chance.happens(0.2)
      ? { amount: this.chance.between(1, 1_000), until: this.clock.now() - 1 }
      : null;
    this.rules[index] = { ...old, cap, increase };
    this.oracle.capChanged(accountName(old, this.clock.now()), cap);
    if (cap !== null && (old.cap === null || cap < old.cap)) {
      this.oracle.excused.add(accountName(old, this.clock.now()));
    }
  }

  /** Something goes wrong with the store or the disk, or is well again. */
  changeFaults(): void {
    const { chance, faults, disk } = this;
    faults.down = chance.happens(0.15);
    const shaky = chance.happens(0.5);
    faults.failure = shaky ? 0.1 : 0;
    faults.lostReply = shaky ? 0.15 : 0;
    faults.duplicate = shaky ? 0.1 : 0;
    faults.delayMs = chance.pick([0, 3, 40, 400]);
    disk.full = chance.happens(0.1);
    this.#excuse();
  }

  async calm(): Promise<void> {
    Object.assign(this.faults, noFaults());
    this.disk.full = false;
    this.#excuse();
    for (const replica of this.replicas) await this.#untilUp(replica);
    for (let round = 0; round < 5; round++) {
      for (const open of [...this.#open])
        if (!open.request.incarnation.crashed) this.#settle(open, open.request.billed ?? 0);
      await this.advance(3_000);
    }
    for (const replica of this.replicas) await this.#untilUp(replica);
  }

  /** Every replica ends in good order; then nothing may be left over. */
  async end(): Promise<void> {
    for (let round = 0; round < 20; round++) {
      await this.calm();
      for (const { ledger } of this.replicas) {
        const open = ledger?.figures().openHolds ?? 0;
        if (open !== 0) throw new Violation(`L1: ${open} holds are open`);
      }
      const closing = this.replicas.map(async (replica) => {
        const { ledger } = replica;
        if (ledger === null) return;
        await ledger.close();
        replica.ledger = null;
      });
      await this.advance(1_000);
      if (this.replicas.every(({ incarnation }) => !incarnation.crashed)) {
        await Promise.all(closing);
        if (this.disk.journals.size > 0) throw new Violation(`L1: ${this.disk.journals.size} journals are left`);
        return this.oracle.checkEnd();
      }
    }
    throw new Error('the replicas die all the time');
  }

  /** Time passes; then everything that must hold is checked. */
  async advance(delayMs: number): Promise<void> {
    this.oracle.observe();
    await this.clock.advance(delayMs);
    if (this.faults.down || this.faults.failure > 0 || this.faults.delayMs > 100) this.#excuse();
    if (this.#violation !== undefined) throw this.#violation;
    this.oracle.observe();
    this.oracle.checkStore();
    this.#open = this.#open.filter(({ request }) => !request.incarnation.crashed);
    this.#checkHolds();
  }

  /** S2: what a ledger says is held is what its open requests hold. */
  #checkHolds(): void {
    if (!this.#alone) return;
    const { ledger, incarnation } = this.replicas[0]!;
    if (ledger === null) return;
    const open = this.oracle.requests.filter(
      (request) => request.incarnation === incarnation && request.state === 'open',
    );
    for (const rule of this.rules) {
      const name = accountName(rule, this.clock.now());
      const held = open.reduce((sum, { chain, bound }) => sum + (chain.has(name) ? bound : 0), 0);
      const said = ledger.balance(rule).held;
      if (held !== said) throw new Violation(`S2: ${name} holds ${held}, the ledger says ${said}`);
    }
  }

  async #untilUp(replica: Replica): Promise<void> {
    for (let round = 0; replica.ledger === null && round < 50; round++) {
      const starting = this.start(replica);
      await this.clock.advance(500);
      if (replica.ledger !== null) await starting;
    }
  }

  #pickOpen(suits: (open: OpenRequest) => boolean): OpenRequest | undefined {
    const candidates = this.#open.filter((open) => suits(open) && !open.request.incarnation.crashed);
    return candidates.length === 0 ? undefined : this.chance.pick(candidates);
  }

  #excuse(): void {
    this.#excusedUntil = this.clock.now() + 10_000;
  }

  /** Keeps what goes wrong in an answer that comes later, for the step that is running. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.#violation ??= cause;
    }
  }
}

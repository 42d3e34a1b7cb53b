import type { AccountRef, Recalls } from '../../src/core/books.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { BudgetRule } from '../../src/core/limits.ts';
import type { Clock, DispatchNote } from '../../src/core/ports.ts';
import { matchRoute } from '../../src/gateway/operations.ts';
import { serve } from '../../src/gateway/pipeline.ts';
import { FakeClock } from './fake-clock.ts';
import type { FaultPoint } from './fault-points.ts';
import { ActiveFaults } from './fault-points.ts';
import type { Faults } from './faulty-books.ts';
import { faultyBooks, noFaults } from './faulty-books.ts';
import { Journey } from './journey.ts';
import { MemoryDisk } from './memory-journals.ts';
import { ModelBooks } from './model-books.ts';
import { type Ask, Oracle } from './oracle.ts';
import { anySettings, type ListSettings, type PriceList, priceList, stopsOnHangup } from './price-lists.ts';
import type { Call } from './provider.ts';
import { SimulatedProvider } from './provider.ts';
import { Replica, type Surroundings } from './replica.ts';
import { SeededChance } from './seeded-chance.ts';
import { struckBooks } from './struck-books.ts';
import { Tenants } from './tenants.ts';
import { Violation } from './violation.ts';

/** A store that was away is back in use after this at the latest (L3). */
const recoveryMs = 5_000;
/** Word of a change reaches every process that runs within this. */
const wordMs = 1_000;
/** The longest a request may take: its own total, its waits for the store and for slices of others. */
const requestMs = 12_000 + 5_000 + 2_500 + 1_000;

/** Midnight, the hour in which the clocks of Berlin go forward, the end of a month, and some time. */
const beginnings = ['2027-03-27T23:00:00Z', '2027-03-28T01:00:00Z', '2027-04-30T22:00:00Z', '2027-06-01T12:34:56Z'];

/** Everything around the gateways, made of one seed: clock, store, disk, providers, tenants, and who knows the truth. */
export class World {
  readonly chance: SeededChance;
  readonly clock: FakeClock;
  readonly books = new ModelBooks();
  readonly disk = new MemoryDisk();
  readonly faults: Faults = noFaults();
  readonly points: ActiveFaults;
  readonly oracle: Oracle;
  readonly provider: SimulatedProvider;
  readonly tenants: Tenants;
  readonly replicas: readonly Replica[];
  readonly counts = { requests: 0, answered: 0, refused: 0, clamped: 0, cached: 0, attempts: 0 };
  readonly #settings: ListSettings;
  readonly #journeys = new Map<string, Journey>();
  readonly #breached = new Set<string>();
  /** Common questions on their way, and who asked. */
  readonly #common = new Map<string, string>();
  #prices: PriceList;
  #violation: unknown;
  /** Simulated milliseconds until when an error instead of a decision is understandable. */
  #excusedUntil = 0;

  constructor(seed: number) {
    const chance = new SeededChance(seed);
    this.chance = chance;
    this.clock = new FakeClock(Date.parse(chance.pick(beginnings)) + chance.between(-90_000, 0));
    this.points = new ActiveFaults(chance);
    this.points.onStrike = () => this.#excuse();
    this.tenants = new Tenants(chance);
    this.#settings = anySettings(chance);
    this.#prices = priceList(chance, this.#settings);
    const replicaCount = chance.pick([1, 1, 2, 3, 4, 5]);
    const alone = replicaCount === 1;
    const now = () => this.clock.now();
    this.oracle = new Oracle(
      this.books,
      alone,
      now,
      (processId) => this.#isOutOfReach(processId),
      () => this.isShaky || this.#isSomebodyCutOff,
    );
    this.provider = new SimulatedProvider({
      chanceOf: () => chance,
      breaches: chance.happens(0.2),
      stopsOnHangup,
      requestOf: (body) => this.#requestOf(body),
      begun: (call) => this.#begun(call),
    });
    const surroundings = this.#surroundings(alone, chance.happens(0.6));
    this.replicas = Array.from({ length: replicaCount }, () => new Replica(surroundings));
  }

  #surroundings(alone: boolean, canRecall: boolean): Surroundings {
    return {
      clock: this.clock,
      chance: this.chance,
      routing: this.chance,
      disk: this.disk,
      oracle: this.oracle,
      tenants: this.tenants,
      alone,
      books: (replica, clock) => this.#booksOf(replica, clock),
      time: (replica, clock) => this.#timeFor(replica, clock),
      transport: (replica) => {
        const { process } = replica;
        return this.provider.transport(process, () => !process.crashed);
      },
      recalls: (replica) => (alone || !canRecall ? null : this.#recallsOf(replica)),
      snapshot: () => this.#prices.snapshot,
      sink: { record: (row) => this.guard(() => this.#recorded(row)) },
      fate: (replica, length) => {
        if (!this.points.strikes('death in the middle of a journal write')) return null;
        this.die(replica);
        return this.chance.between(0, length);
      },
      failed: (replica, ask, cause) => this.#failed(replica, ask, cause),
      dispatched: (replica, note) => this.#dispatched(replica, note),
      guard: (work) => this.guard(work),
    };
  }

  #booksOf(replica: Replica, clock: Clock) {
    const { process } = replica;
    const isAlive = () => !process.crashed;
    const line = faultyBooks(this.books, clock, this.chance, this.faults, isAlive);
    return struckBooks(line, this.points, {
      clock,
      isAlive,
      die: () => this.die(replica),
      pause: () => this.pause(replica),
      running: () =>
        replica.pausedSince === null ? null : new Promise((resolve) => replica.whenRunning(process, resolve)),
      changeCap: () => this.changeCap(),
      isCutOff: () => replica.isCutOff,
    });
  }

  async #timeFor(replica: Replica, clock: Clock): Promise<number> {
    const { delayMs } = this.faults;
    const way = () => new Promise<void>((resolve) => clock.setTimer(this.chance.between(0, delayMs), resolve));
    if (delayMs > 0) await way();
    if (this.faults.down || replica.isCutOff) throw new Error('the store does not answer');
    const time = Math.floor(this.clock.now());
    if (delayMs > 0) await way();
    return time;
  }

  /** Word between processes: late by a moment, sometimes lost. */
  #recallsOf(replica: Replica): Recalls {
    return {
      send: ({ key, windowStart }) => {
        for (const other of this.replicas) {
          if (other === replica || this.chance.happens(0.02)) continue;
          const { process } = other;
          this.clock.setTimer(this.chance.between(0, 30), () =>
            other.whenRunning(process, () => other.recall({ key, windowStart })),
          );
        }
      },
      listen: (listener: (account: AccountRef) => void) => {
        replica.recall = listener;
      },
      close: async () => {},
    };
  }

  // ── Requests ──────────────────────────────────────────────────────────────────────────────────────────────────────

  ask(): void {
    const replica = this.chance.pick(this.replicas);
    const { gateway, process } = replica;
    if (gateway === null || replica.pausedSince !== null) return;
    const { chance } = this;
    this.counts.requests += 1;
    const name = `r${this.counts.requests}`;
    const common = chance.happens(0.15) ? `common question ${chance.between(1, 3)}` : null;
    if (common !== null && this.#common.has(common)) return;
    if (common !== null) this.#common.set(common, name);
    const key = chance.pick(this.tenants.keys);
    const path = common !== null || chance.happens(0.7) ? '/v1/chat/completions' : '/v1/messages';
    const isStream = chance.happens(0.5);
    const limit =
      common !== null
        ? 16
        : (chance.pick([undefined, 1, 16, 100, 600, 4_000]) ?? (path === '/v1/messages' ? 300 : undefined));
    const body = {
      model: 'm',
      messages: [{ role: 'user', content: common ?? `<${name}>` }],
      ...(limit === undefined ? {} : { max_tokens: limit }),
      ...(isStream ? { stream: true } : {}),
    };
    const bytes = Buffer.from(JSON.stringify(body));
    const prices = this.#prices;
    const askedAt = this.clock.now();
    const journey = new Journey({ name, key, process, prices, path, isStream, bytes, askedAt }, chance);
    this.#journeys.set(name, journey);
    const headers = { authorization: `Bearer ${key.secret}`, 'x-litellm-call-id': name };
    const { client } = journey;
    const matched = matchRoute(path)!;
    const arrival = {
      matched,
      path,
      query: '',
      headers,
      bytes,
      clientAddress: null,
      client,
      arrivedTick: gateway.clock.tick(),
    };
    serve(gateway, arrival).then(
      (reply) => {
        if (process.crashed) return;
        this.guard(() => journey.answered(reply));
        if (reply.headerLines.includes('x-tollgate-clamped-max-tokens')) this.counts.clamped += 1;
      },
      (cause) => this.guard(() => Promise.reject(cause)),
    );
  }

  #requestOf(body: string): { name: string; bytes: number } | undefined {
    const at = body.indexOf('<r');
    let name: string | undefined;
    if (at >= 0) name = body.slice(at + 1, body.indexOf('>', at));
    else for (const [question, asker] of this.#common) if (body.includes(question)) name = asker;
    const journey = name === undefined ? undefined : this.#journeys.get(name);
    return journey === undefined ? undefined : { name: journey.question.name, bytes: journey.question.bytes.length };
  }

  /** A provider is called: S6, S9. */
  #begun(call: Call): void {
    this.guard(() => {
      const journey = this.#journeys.get(call.request)!;
      const { key, askedAt, process } = journey.question;
      journey.called(call);
      this.counts.attempts += 1;
      const { revokedAt } = key;
      if (revokedAt !== null && askedAt > revokedAt + wordMs && this.#hasHeard(process, revokedAt)) {
        throw new Violation(`S9: ${call.request} was sent though its key was revoked ${askedAt - revokedAt} ms before`);
      }
      const purchase = this.#purchaseOf(journey);
      if (purchase === undefined) throw new Violation(`S9: ${call.request} was sent, and no money was asked for`);
      const isPriced = journey.question.prices.rates.has(call.deploymentId);
      if (!isPriced && purchase.isCapped)
        throw new Violation(`S9: ${call.request} was sent to a place without a price`);
      purchase.sent = true;
      if (!purchase.noted) throw new Violation(`S6: ${call.request} was sent without a note`);
    });
    const replica = this.replicas.find(({ process }) => process === call.process)!;
    if (this.points.strikes('death after the request was sent')) {
      this.clock.setTimer(0, () => replica.process === call.process && this.die(replica));
    }
  }

  #purchaseOf(journey: Journey) {
    const { id } = journey;
    return id === null ? undefined : this.oracle.purchases.get(id);
  }

  /** A process that stood still has a second of its own after it runs again. */
  #hasHeard(process: object, since: number): boolean {
    const replica = this.replicas.find((one) => one.process === process);
    return replica !== undefined && replica.ranSince <= since;
  }

  /** S6: before anything is sent under a hard budget, its line is in the file. */
  #dispatched(replica: Replica, note: DispatchNote): void {
    if (replica.process.crashed) return;
    const name = note.id.slice(0, note.id.indexOf('.'));
    const journey = this.#journeys.get(name)!;
    journey.id = note.id;
    // A stop that did not wait may have put it on record, and its journal away, before the turn of its note was over.
    const isOnRecord = replica.process.wasCut && this.oracle.purchases.get(note.id)?.state === 'recorded';
    if (!isOnRecord && !this.disk.full && !replica.folder!.holds(replica.process.processId, note.id)) {
      this.guard(() => {
        throw new Violation(`S6: the note of ${note.id} is not in the file`);
      });
    }
    if (this.points.strikes('death after the dispatch line')) this.die(replica);
  }

  /** One more piece of an answer arrives. */
  deliver(): void {
    const { open } = this.provider;
    if (open.length === 0) return;
    const call = this.chance.pick(open);
    if (call.isPaused || call.next >= call.pieces.length) return;
    const replica = this.replicas.find(({ process }) => process === call.process);
    if (replica === undefined || replica.pausedSince !== null) return;
    const { kind } = call.pieces[call.next]!;
    this.provider.deliver(call);
    if (kind === 'headers' && this.points.strikes('death after the headers')) this.die(replica);
    if (kind === 'bytes' && this.points.strikes('death at an event')) this.die(replica);
  }

  #anyJourney(suits: (journey: Journey) => boolean): Journey | undefined {
    const candidates = [...this.#journeys.values()].filter(
      (journey) => !journey.isOver && !journey.question.process.crashed && suits(journey),
    );
    return candidates.length === 0 ? undefined : this.chance.pick(candidates);
  }

  clientLeaves(): void {
    this.#anyJourney(() => true)?.leave();
  }

  clientReads(): void {
    this.#anyJourney(({ isWaiting }) => isWaiting)?.read();
  }

  #recorded(row: Parameters<Surroundings['sink']['record']>[0]): void {
    const name = row.id.slice(0, row.id.indexOf('.'));
    const journey = this.#journeys.get(name);
    if (journey === undefined) throw new Violation(`S10: a row ${row.id} without a request`);
    for (const [question, asker] of this.#common) if (asker === name) this.#common.delete(question);
    const purchase = this.oracle.purchases.get(row.id);
    journey.recorded(row, purchase?.bound ?? 0, purchase?.breached ?? false);
    if (purchase?.breached) this.#breached.add(row.id);
    if (row.cacheHit) this.counts.cached += 1;
    if (row.status === 'denied') this.counts.refused += 1;
    if (row.status === 'success') this.counts.answered += 1;
  }

  #failed(replica: Replica, ask: Ask, cause: unknown): void {
    if (!(cause instanceof GatewayError)) throw cause;
    if (cause.code === 'shutting_down' && ask.process.isClosing) return;
    if (replica.isCutOff || replica.pausedSince !== null || this.isShaky || this.disk.full) return;
    throw new Violation(
      `T2: ${ask.requestId} got ${cause.code} without a fault: ${JSON.stringify({ waitedMs: this.clock.now() - ask.askedAt, excused: this.#excusedUntil - this.clock.now(), faults: this.faults, message: cause.message })}`,
    );
  }

  // ── What changes ──────────────────────────────────────────────────────────────────────────────────────────────────

  changeCap(): void {
    const { chance } = this;
    const old = chance.pick(this.tenants.rules);
    const cap = chance.happens(0.15) ? null : this.tenants.anyCap();
    const now = this.clock.now();
    const amount = chance.between(1, 5_000);
    const increase = chance.happens(0.2) ? { amount, until: now + chance.between(-1_000, 60_000) } : null;
    const next: BudgetRule = { ...old, cap, increase };
    const account = this.oracle.account(old);
    // Nobody may have asked for it so far.
    if (!account.caps.isKnown) this.oracle.capSeen(account, old.cap);
    this.oracle.capSeen(account, cap === null ? null : cap + (increase?.amount ?? 0));
    this.tenants.change(old, next);
    this.#spread();
    if (cap === null || increase === null) return;
    this.clock.setTimer(Math.max(0, increase.until - now), () => {
      if (this.tenants.rules.includes(next)) this.oracle.capSeen(this.oracle.account(next), cap);
    });
  }

  moveKey(): void {
    const key = this.chance.pick(this.tenants.keys);
    key.team = key.team === 't1' ? 't2' : 't1';
    this.tenants.changed();
    this.#spread();
  }

  revoke(): void {
    const revoked = this.tenants.keys.find(({ revokedAt }) => revokedAt !== null);
    if (revoked !== undefined) revoked.revokedAt = null;
    else this.chance.pick(this.tenants.keys).revokedAt = this.clock.now();
    this.tenants.changed();
    this.#spread();
  }

  #spread(): void {
    for (const replica of this.replicas) {
      const { process } = replica;
      this.clock.setTimer(this.chance.between(0, wordMs), () =>
        replica.whenRunning(process, () => {
          if (replica.tenants !== null) replica.tenants.principals = this.tenants.compiled;
        }),
      );
    }
  }

  changePrices(): void {
    this.#prices = priceList(this.chance, this.#settings);
  }

  /** S13: money is given back, and every process rereads the account. */
  credit(): void {
    const rule = this.chance.pick(this.tenants.rules);
    const account = this.oracle.account(rule);
    const amount = this.chance.between(1, 5_000);
    if (!this.books.credit(account.name, amount)) return;
    this.oracle.credit(account, amount);
    const [key, windowStart] = account.name.split('@') as [string, string];
    for (const replica of this.replicas) {
      void replica.ledger?.reread([{ key, windowStart: Number(windowStart) }]).catch(() => {});
    }
  }

  // ── What goes wrong ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Something goes wrong with the store or the disk, or is well again. */
  changeFaults(): void {
    const { chance, faults, disk } = this;
    faults.down = chance.happens(0.1);
    const shaky = chance.happens(0.3);
    faults.failure = shaky ? 0.1 : 0;
    faults.lostReply = shaky ? 0.15 : 0;
    faults.duplicate = shaky ? 0.1 : 0;
    faults.delayMs = chance.pick([0, 0, 3, 40, 400]);
    disk.full = chance.happens(0.07);
    this.#excuse();
  }

  die(replica: Replica): void {
    const { process } = replica;
    replica.die();
    this.provider.abandon(process);
    for (const [question, asker] of this.#common) {
      if (this.#journeys.get(asker)?.question.process === process) this.#common.delete(question);
    }
    this.#excuse();
  }

  pause(replica: Replica): void {
    if (replica.process.crashed) return;
    replica.pause();
    const { process } = replica;
    this.clock.setTimer(this.chance.pick([300, 5_000, 20_000, 100_000]), () => {
      if (replica.process === process) this.resume(replica);
    });
  }

  resume(replica: Replica): void {
    replica.resume();
    this.#excuse();
  }

  cutOff(replica: Replica): void {
    replica.isCutOff = true;
    this.clock.setTimer(this.chance.pick([500, 3_000, 30_000, 90_000]), () => {
      replica.isCutOff = false;
      this.#excuse();
    });
  }

  /** S18: somebody sets the clock of a machine. With one process that clock is the store's. */
  jumpClock(replica: Replica): void {
    if (this.replicas.length > 1) replica.skewMs = this.chance.between(-600_000, 600_000);
  }

  /** An orderly end, at once: whoever waits for an answer is told so. It comes back by itself. */
  async stop(replica: Replica): Promise<void> {
    if (replica.ledger === null || replica.pausedSince !== null || replica.isStopping) return;
    for (const journey of this.#journeys.values()) {
      if (journey.question.process === replica.process && !journey.isOver) journey.leave();
    }
    void replica.close();
    await this.clock.advance(30);
  }

  #excuse(): void {
    this.#excusedUntil = this.clock.now() + recoveryMs;
  }

  get isShaky(): boolean {
    const { down, failure, lostReply, delayMs } = this.faults;
    return down || failure > 0 || lostReply > 0 || delayMs > 40 || this.clock.now() <= this.#excusedUntil;
  }

  get #isSomebodyCutOff(): boolean {
    return this.replicas.some(({ isCutOff }) => isCutOff);
  }

  #isOutOfReach(processId: string): boolean {
    if (this.isShaky) return true;
    const replica = this.replicas.find(({ process }) => process.processId === processId);
    return replica === undefined || replica.process.crashed || replica.pausedSince !== null || replica.isCutOff;
  }

  // ── Time ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** To the edge of a window, or just over it. */
  async toBoundary(): Promise<void> {
    const minuteMs = 60_000;
    const leftMs = minuteMs - (this.clock.now() % minuteMs);
    await this.advance(Math.max(0, leftMs + this.chance.between(-20, 20)));
  }

  /** Time passes; then everything that must hold is checked. */
  async advance(delayMs: number): Promise<void> {
    this.oracle.observe();
    await this.clock.advance(delayMs);
    if (this.faults.down || this.faults.failure > 0 || this.faults.delayMs > 100 || this.disk.full) this.#excuse();
    // A question under an old cap is repeated for as long as the store does not answer it.
    if (this.isShaky || this.#isSomebodyCutOff) this.oracle.slept(this.clock.now() - delayMs);
    this.check();
    if (delayMs > 1_000) this.#sweep();
  }

  check(): void {
    const violation = this.#violation ?? this.oracle.violation;
    if (violation !== undefined) throw violation;
    this.oracle.observe();
    this.oracle.checkRefusals();
    this.oracle.checkStore();
    for (const replica of this.replicas) {
      this.#checkClock(replica);
      this.#checkHolds(replica);
    }
  }

  /** S18: the time by which it decides is the store's, within the way of an answer. */
  #checkClock({ process, isUp, ranSince }: Replica): void {
    if (!isUp || this.replicas.length === 1) return;
    const now = this.clock.now();
    const off = Math.abs(process.now() - now);
    if (off > 450 && now > ranSince) throw new Violation(`S18: a process goes by a time that is ${off} ms off`);
  }

  /** S2, S5: what a ledger says is held is what its open requests hold, on every account. */
  #checkHolds(replica: Replica): void {
    const { ledger, process } = replica;
    if (ledger === null || process.crashed) return;
    const { waiting } = ledger.figures();
    if (waiting > this.oracle.askCount(process)) throw new Violation(`L4: ${waiting} wait for money, and nobody asks`);
    const open = this.oracle.openCount(process);
    if (ledger.figures().openHolds !== open) {
      throw new Violation(`S2: ${open} requests hold money, the ledger says ${ledger.figures().openHolds}`);
    }
    if (this.replicas.length > 1) return;
    for (const rule of this.tenants.rules) {
      const account = this.oracle.account(rule);
      const { held } = account.of(process);
      const said = ledger.balance(rule).held;
      // A slice on its way back may count as another process's for a moment.
      const onLease = this.books.accounts.get(account.name)?.leased ?? 0;
      if (said < held || said > held + onLease)
        throw new Violation(`S2: ${account.name} holds ${held}, the ledger says ${said}`);
    }
  }

  /** L2: nobody waits beyond their time. Journeys that are over and told are forgotten. */
  #sweep(): void {
    const now = this.clock.now();
    for (const [name, journey] of this.#journeys) {
      const { process, askedAt } = journey.question;
      const replica = this.replicas.find((one) => one.process === process);
      if (process.crashed || replica === undefined) this.#journeys.delete(name);
      else if (journey.isOver && journey.rows.length === 1) {
        journey.checkAnswer();
        this.#journeys.delete(name);
      } else if (
        now - Math.max(askedAt, replica.ranSince) > requestMs &&
        replica.pausedSince === null &&
        !journey.isWaiting
      ) {
        throw new Violation(`L2: ${name} has no end after ${now - askedAt} ms`);
      }
    }
  }

  // ── The end ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async calm(): Promise<void> {
    Object.assign(this.faults, noFaults());
    this.disk.full = false;
    this.points.isOver = true;
    for (const replica of this.replicas) {
      replica.isCutOff = false;
      this.resume(replica);
    }
    this.#excuse();
    for (let round = 0; round < 10; round++) {
      for (const replica of this.replicas) if (!replica.isUp) void replica.start();
      for (const journey of this.#journeys.values()) if (journey.isWaiting) journey.read();
      for (let piece = 0; piece < 500 && this.provider.open.length > 0; piece++) this.deliver();
      await this.advance(3_000);
    }
  }

  /** Every replica ends in good order; then nothing may be left over: L1. */
  async end(): Promise<void> {
    await this.calm();
    for (const { ledger, limiter } of this.replicas) {
      if (ledger === null) throw new Violation('L3: a process does not start though all is well');
      const open = ledger.figures().openHolds;
      if (open !== 0) throw new Violation(`L1: ${open} holds are open`);
      const { waiting } = ledger.figures();
      if (waiting !== 0) throw new Violation(`L4: ${waiting} requests still wait for money`);
      if (limiter!.openCount !== 0) throw new Violation(`S20: ${limiter!.openCount} slots are taken`);
    }
    const closing = this.replicas.map((replica) => replica.close());
    await this.advance(1_000);
    await Promise.all(closing);
    if (this.disk.journals.size > 0) throw new Violation(`L1: ${this.disk.journals.size} journals are left`);
    for (const [name, journey] of this.#journeys) {
      if (!journey.question.process.crashed && journey.rows.length !== 1) {
        throw new Violation(`S10: ${name} left ${journey.rows.length} rows`);
      }
      if (!journey.question.process.crashed) journey.checkAnswer();
    }
    this.oracle.checkEnd();
  }

  struck(): ReadonlyMap<FaultPoint, number> {
    return this.points.struck;
  }

  /** Keeps what goes wrong in an answer that comes later, for the step that is running. */
  guard(work: () => unknown): void {
    try {
      work();
    } catch (cause) {
      this.#violation ??= cause;
    }
  }
}

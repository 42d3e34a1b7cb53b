import { createHash } from 'node:crypto';
import {
  isParallel,
  limitName,
  type RateLimitClaim,
  type RateLimitDenial,
  type RateLimitRule,
} from '../../core/limits.ts';
import type { Chance, Clock, RateLimitReservation } from '../../core/ports.ts';
import { addScript, freeScript, giveBackScript, renewScript, reserveScript, settleScript } from './limiter-scripts.ts';
import type { RedisLink, Unavailable } from './link.ts';
import { lateMs, unavailable } from './link.ts';
import { memberScript } from './member-scripts.ts';
import { membersKey, replicaName } from './members.ts';
import { ParallelSlots, type Slot } from './parallel-slots.ts';

export interface RedisLimiterOptions {
  readonly link: RedisLink;
  readonly clock: Pick<Clock, 'now'>;
  readonly chance: Pick<Chance, 'id'>;
  /** As which the replica is a member; left out where it is none and nobody else has a right to a part of a limit. */
  readonly member?: string;
  /** In place of the server's clock (milliseconds), which nothing but tests may do. */
  readonly time?: () => number;
  /** Length of a 240th of the window; tests take a shorter one. */
  readonly slotMs?: number;
}

/** A parallel slot that nobody renews is free again after so long. */
export const parallelLifeMs = 30_000;

/** What is counted in Redis for one request. */
export class RedisReservation implements RateLimitReservation {
  readonly claims: readonly RateLimitClaim[];
  readonly remaining: number[] = [];
  readonly resetAt: number[] = [];
  /** What was left of each limit beside that which others have a right to. */
  readonly room: number[] = [];
  readonly name: string;
  readonly keys: readonly string[];
  /** Slot of time in which each claim was counted. */
  readonly slots: number[] = [];
  /** The first limit with little room beside what others have a right to. */
  tight: RateLimitRule | null = null;
  over = false;

  constructor(claims: readonly RateLimitClaim[], keys: readonly string[], name: string) {
    this.claims = claims;
    this.keys = keys;
    this.name = name;
  }
}

/** Does not fit now, but would if other replicas gave up what they have not used of their parts. */
export class Contested {
  readonly denial: RateLimitDenial;
  /** For each claim; 0 where there is room. */
  readonly lacking: readonly number[];

  constructor(denial: RateLimitDenial, lacking: readonly number[]) {
    this.denial = denial;
    this.lacking = lacking;
  }
}

/** The members do not know this replica (any more): it has to tell what it admitted, and join. */
export const unknownHere = Symbol('not a member');

/** Tokens or requests that were admitted while Redis was away. */
export interface Uncounted {
  readonly rule: RateLimitRule;
  readonly ageMs: number;
  readonly amount: number;
}

/** The same as in memory: 240 of them are the window of 60 s. */
const windowSlotMs = 250;
const keysPerCall = 200;
const scripts = [reserveScript, settleScript, addScript, renewScript, freeScript, giveBackScript, memberScript];

/**
 * Rate limits of all replicas together. Every key has the same hash tag, so that one script sees all claims of a request
 * also in a cluster: all or none, in one round trip.
 */
export class RedisLimiter {
  readonly #link: RedisLink;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #membersKey: string;
  readonly #isMember: '1' | '0';
  readonly #time: () => number | string;
  readonly #slotMs: number;
  readonly #process: string;
  readonly #keyOfRule = new WeakMap<RateLimitRule, string>();
  readonly #slots = new ParallelSlots();
  #reservations = 0;

  constructor({ link, clock, chance, member, time, slotMs }: RedisLimiterOptions) {
    this.#link = link;
    this.#clock = clock;
    this.#membersKey = membersKey(link);
    this.#isMember = member === undefined ? '0' : '1';
    this.#time = time ?? serverTime;
    this.#slotMs = slotMs ?? windowSlotMs;
    this.#process = member ?? replicaName(chance.id());
  }

  /** Before the first use, and after Redis has come back. */
  async prepare(): Promise<void> {
    await Promise.all(scripts.map((script) => this.#link.call((client) => script.load(client))));
  }

  async reserve(
    claims: readonly RateLimitClaim[],
  ): Promise<RedisReservation | RateLimitDenial | Contested | Unavailable | typeof unknownHere> {
    const reservation = this.#named(claims);
    const values = this.#values(reservation.name, parallelLifeMs, this.#isMember);
    const keys = [this.#membersKey];
    for (const [index, { rule, amount }] of claims.entries()) {
      const key = reservation.keys[index]!;
      keys.push(key);
      if (rule.metric === 'parallel') keys.push(besideOf(key));
      values.push(rule.metric === 'parallel' ? 'p' : 'w', rule.limit, amount);
    }
    const answer = await this.#link.call(
      (client) => reserveScript.run(client, keys, values),
      // Given up, but counted: the request was decided elsewhere.
      (late) => {
        if (read(reservation, late as number[], this.#clock.now()) === reservation) this.release(reservation);
      },
      lateMs,
    );
    if (answer === unavailable) {
      this.#slots.leave(slotsOf(reservation));
      return unavailable;
    }
    const decided = read(reservation, answer as number[], this.#clock.now());
    if (decided === reservation) this.#slots.take(slotsOf(reservation), true);
    return decided;
  }

  /** Takes the parallel slots of a request that was admitted without asking. */
  adopt(claims: readonly RateLimitClaim[]): RedisReservation {
    const reservation = this.#named(claims);
    this.#slots.take(slotsOf(reservation), false);
    return reservation;
  }

  settle(reservation: RedisReservation, usage: { inputTokens: number; outputTokens: number }): void {
    this.#end(reservation, ({ rule, amount }) => {
      if (rule.metric === 'requests') return 0;
      if (rule.tokens === 'input') return usage.inputTokens - amount;
      return (rule.tokens === 'output' ? usage.outputTokens : usage.inputTokens + usage.outputTokens) - amount;
    });
  }

  release(reservation: RedisReservation): void {
    this.#end(reservation, ({ amount }) => -amount);
  }

  /** Says that the requests open here are alive, also to a Redis that has forgotten them. Resolves to whether it has heard. */
  renew(): Promise<boolean> {
    return this.#tell(this.#slots.open);
  }

  /** Something is open here that Redis does not know of. */
  get hasUntold(): boolean {
    return this.#slots.hasUntold;
  }

  /** Says what was admitted without asking. Resolves to whether Redis has heard. */
  tellOpen(): Promise<boolean> {
    return this.#tell(this.#slots.untold);
  }

  /** Frees what ended while Redis was away; to free a slot twice is no harm. */
  async freeLeftOver(): Promise<void> {
    const slots = this.#slots.hasLeftOver ? this.#slots.leftOver : [];
    for (let start = 0; start < slots.length; start += keysPerCall) {
      const part = slots.slice(start, start + keysPerCall);
      const values = this.#values(...part.map(([member]) => member));
      if ((await this.#link.call((client) => freeScript.run(client, keysOf(part), values))) === unavailable) return;
      this.#slots.freed(part);
    }
  }

  async #tell(slots: readonly Slot[]): Promise<boolean> {
    for (let start = 0; start < slots.length; start += keysPerCall) {
      const part = slots.slice(start, start + keysPerCall).filter((slot) => this.#slots.isOpen(slot));
      const values = this.#values(parallelLifeMs, ...part.map(([member]) => member));
      if ((await this.#link.call((client) => renewScript.run(client, keysOf(part), values))) === unavailable)
        return false;
      this.#slots.told(part);
    }
    return true;
  }

  /** Others may have what is beyond `kept` for so long. Resolves to whether Redis has heard of it. */
  async giveBack(limit: string, kept: number, lastsMs: number): Promise<boolean> {
    const key = this.#keyOf(limit);
    const keys = [isParallel(limit) ? besideOf(key) : key];
    const values = this.#values(kept, lastsMs);
    return (await this.#link.call((client) => giveBackScript.run(client, keys, values))) !== unavailable;
  }

  /** Resolves to false when Redis is away again. */
  async add(uncounted: readonly Uncounted[]): Promise<boolean> {
    for (let start = 0; start < uncounted.length; start += keysPerCall) {
      const part = uncounted.slice(start, start + keysPerCall);
      const values = this.#values(...part.flatMap(({ ageMs, amount }) => [Math.floor(ageMs), amount]));
      const keys = part.map(({ rule }) => this.#key(rule));
      if ((await this.#link.call((client) => addScript.run(client, keys, values))) === unavailable) return false;
    }
    return true;
  }

  get isUp(): boolean {
    return this.#link.isUp;
  }

  /** How many parallel slots are held here. */
  get openCount(): number {
    return this.#slots.openCount;
  }

  #named(claims: readonly RateLimitClaim[]): RedisReservation {
    this.#reservations += 1;
    const keys = claims.map(({ rule }) => this.#key(rule));
    return new RedisReservation(claims, keys, `${this.#process}:${this.#reservations}`);
  }

  #end(reservation: RedisReservation, difference: (claim: RateLimitClaim) => number): void {
    if (reservation.over) return;
    reservation.over = true;
    this.#slots.end(slotsOf(reservation));
    const keys: string[] = [];
    const values = this.#values(reservation.name);
    for (const [index, claim] of reservation.claims.entries()) {
      const key = reservation.keys[index]!;
      if (claim.rule.metric === 'parallel') {
        keys.push(key, besideOf(key));
        values.push('p', 0, claim.amount);
        continue;
      }
      const change = difference(claim);
      const slot = reservation.slots[index];
      if (change === 0 || slot === undefined) continue;
      keys.push(key);
      values.push('w', slot, change);
    }
    if (keys.length === 0) return;
    void this.#link
      .call((client) => settleScript.run(client, keys, values))
      .then((answer) => {
        if (answer === unavailable) this.#slots.leave(slotsOf(reservation));
      });
  }

  #values(...more: readonly (string | number)[]): (string | number)[] {
    return [this.#slotMs, this.#time(), this.#process, ...more];
  }

  #key(rule: RateLimitRule): string {
    let key = this.#keyOfRule.get(rule);
    if (key === undefined) {
      key = this.#keyOf(limitName(rule));
      this.#keyOfRule.set(rule, key);
    }
    return key;
  }

  #keyOf(limit: string): string {
    const name = limit.length > 160 ? createHash('sha256').update(limit).digest('hex') : limit;
    return `${this.#link.prefix}:{limits}:of:${name}`;
  }
}

function slotsOf({ claims, keys, name }: RedisReservation): readonly Slot[] {
  let slots: Slot[] | null = null;
  for (let index = 0; index < claims.length; index++) {
    const { rule, amount } = claims[index]!;
    if (rule.metric !== 'parallel') continue;
    slots ??= [];
    for (let place = 1; place <= amount; place++) slots.push([`${name}#${place}`, keys[index]!]);
  }
  return slots ?? none;
}

function keysOf(slots: readonly Slot[]): string[] {
  return slots.flatMap(([, key]) => [key, besideOf(key)]);
}

const none: readonly Slot[] = [];

/** The hash that says whose the open requests in a sorted set are. */
function besideOf(key: string): string {
  return `${key}:by`;
}

function serverTime(): string {
  return '';
}

function read(
  reservation: RedisReservation,
  answer: readonly number[],
  now: number,
): RedisReservation | RateLimitDenial | Contested | typeof unknownHere {
  const [verdict, place] = answer;
  if (verdict === 3) return unknownHere;
  if (verdict !== 1) {
    const { rule } = reservation.claims[place! - 1]!;
    const denial: RateLimitDenial = { rule, used: answer[2]!, resetAt: now + answer[3]! };
    return verdict === 2 ? new Contested(denial, answer.slice(4)) : denial;
  }
  if (place! > 0) reservation.tight = reservation.claims[place! - 1]!.rule;
  for (let index = 0; index < reservation.claims.length; index++) {
    const at = 2 + index * 4;
    reservation.slots.push(answer[at]!);
    reservation.remaining.push(answer[at + 1]!);
    reservation.resetAt.push(now + answer[at + 2]!);
    reservation.room.push(answer[at + 3]!);
  }
  return reservation;
}

import { createHash } from 'node:crypto';
import type { RateLimitClaim, RateLimitDenial, RateLimitRule } from '../../core/limits.ts';
import type { Chance, Clock, RateLimitReservation } from '../../core/ports.ts';
import { addScript, renewScript, reserveScript, runScript, settleScript } from './limiter-scripts.ts';
import type { RedisLink, Unavailable } from './link.ts';
import { lateMs, unavailable } from './link.ts';

export interface RedisLimiterOptions {
  readonly link: RedisLink;
  readonly clock: Pick<Clock, 'now'>;
  readonly chance: Pick<Chance, 'id'>;
  /** How many replicas there are, this one included; 1 when left out. */
  readonly replicas?: () => number;
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
  readonly name: string;
  readonly keys: readonly string[];
  /** Slot of time in which each claim was counted. */
  readonly slots: number[] = [];
  over = false;

  constructor(claims: readonly RateLimitClaim[], keys: readonly string[], name: string) {
    this.claims = claims;
    this.keys = keys;
    this.name = name;
  }
}

/** Tokens or requests that were admitted while Redis was away. */
export interface Uncounted {
  readonly rule: RateLimitRule;
  readonly ageMs: number;
  readonly amount: number;
}

/** The same as in memory: 240 of them are the window of 60 s. */
const windowSlotMs = 250;
const keysPerCall = 200;
const scripts = [reserveScript, settleScript, addScript, renewScript, runScript];

/**
 * Rate limits of all replicas together. Every key has the same hash tag, so that one script sees all claims of a request
 * also in a cluster: all or none, in one round trip.
 */
export class RedisLimiter {
  readonly #link: RedisLink;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #replicas: () => number;
  readonly #replicasKey: string;
  readonly #time: () => number | string;
  readonly #slotMs: number;
  readonly #process: string;
  readonly #keyOfRule = new WeakMap<RateLimitRule, string>();
  /** Parallel slots of requests that are open here: member → key. */
  readonly #open = new Map<string, string>();
  #reservations = 0;

  constructor({ link, clock, chance, replicas, time, slotMs }: RedisLimiterOptions) {
    this.#link = link;
    this.#clock = clock;
    this.#replicas = replicas ?? (() => 1);
    this.#replicasKey = `${link.prefix}:{limits}:replicas`;
    this.#time = time ?? serverTime;
    this.#slotMs = slotMs ?? windowSlotMs;
    this.#process = chance.id();
  }

  /** Before the first use, and after Redis has come back. */
  async prepare(): Promise<void> {
    await Promise.all(scripts.map((script) => this.#link.call((client) => script.load(client))));
  }

  async reserve(claims: readonly RateLimitClaim[]): Promise<RedisReservation | RateLimitDenial | Unavailable> {
    const reservation = this.#named(claims);
    const values: (string | number)[] = [
      this.#slotMs,
      this.#time(),
      reservation.name,
      parallelLifeMs,
      this.#replicas(),
    ];
    const keys = [this.#replicasKey, ...reservation.keys];
    for (const { rule, amount } of claims) values.push(rule.metric === 'parallel' ? 'p' : 'w', rule.limit, amount);
    const answer = await this.#link.call(
      (client) => reserveScript.run(client, keys, values),
      // Given up, but counted: the request was decided elsewhere.
      (late) => {
        if (read(reservation, late as number[], this.#clock.now()) === reservation) this.release(reservation);
      },
      lateMs,
    );
    if (answer === unavailable) return unavailable;
    const decided = read(reservation, answer as number[], this.#clock.now());
    if (decided === reservation) this.#keepOpen(reservation);
    return decided;
  }

  /** Takes the parallel slots of a request that was admitted without asking. */
  adopt(claims: readonly RateLimitClaim[]): RedisReservation {
    const reservation = this.#named(claims);
    this.#keepOpen(reservation);
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

  /** Says that the requests open here are alive, also to a Redis that has forgotten them. */
  async renew(): Promise<void> {
    const entries = [...this.#open];
    for (let start = 0; start < entries.length; start += keysPerCall) {
      const part = entries.slice(start, start + keysPerCall).filter(([member]) => this.#open.has(member));
      const values = [this.#slotMs, this.#time(), parallelLifeMs, ...part.map(([member]) => member)];
      const keys = part.map(([, key]) => key);
      if ((await this.#link.call((client) => renewScript.run(client, keys, values))) === unavailable) return;
    }
  }

  /** The run of the server that counts; null when it does not say. */
  async run(): Promise<string | null> {
    const run = await this.#link.call((client) => runScript.run(client, [this.#replicasKey], []));
    return typeof run === 'string' && run !== '' ? run : null;
  }

  /** Resolves to false when Redis is away again. */
  async add(uncounted: readonly Uncounted[]): Promise<boolean> {
    for (let start = 0; start < uncounted.length; start += keysPerCall) {
      const part = uncounted.slice(start, start + keysPerCall);
      const values = [this.#slotMs, this.#time(), ...part.flatMap(({ ageMs, amount }) => [Math.round(ageMs), amount])];
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
    return this.#open.size;
  }

  #named(claims: readonly RateLimitClaim[]): RedisReservation {
    this.#reservations += 1;
    const keys = claims.map(({ rule }) => this.#key(rule));
    return new RedisReservation(claims, keys, `${this.#process}:${this.#reservations}`);
  }

  #keepOpen({ claims, keys, name }: RedisReservation): void {
    for (const [index, { rule, amount }] of claims.entries()) {
      if (rule.metric !== 'parallel') continue;
      for (let place = 1; place <= amount; place++) this.#open.set(`${name}#${place}`, keys[index]!);
    }
  }

  #end(reservation: RedisReservation, difference: (claim: RateLimitClaim) => number): void {
    if (reservation.over) return;
    reservation.over = true;
    const keys: string[] = [];
    const values: (string | number)[] = [this.#slotMs, this.#time(), reservation.name];
    for (const [index, claim] of reservation.claims.entries()) {
      const key = reservation.keys[index]!;
      if (claim.rule.metric === 'parallel') {
        for (let place = 1; place <= claim.amount; place++) this.#open.delete(`${reservation.name}#${place}`);
        keys.push(key);
        values.push('p', 0, claim.amount);
        continue;
      }
      const change = difference(claim);
      const slot = reservation.slots[index];
      if (change === 0 || slot === undefined) continue;
      keys.push(key);
      values.push('w', slot, change);
    }
    if (keys.length > 0) void this.#link.call((client) => settleScript.run(client, keys, values));
  }

  #key(rule: RateLimitRule): string {
    const known = this.#keyOfRule.get(rule);
    if (known !== undefined) return known;
    const { scope, id, model, metric, tokens } = rule;
    const text = JSON.stringify([scope, id, model, metric, tokens]);
    const name = text.length > 160 ? createHash('sha256').update(text).digest('hex') : text;
    const key = `${this.#link.prefix}:{limits}:${name}`;
    this.#keyOfRule.set(rule, key);
    return key;
  }
}

function serverTime(): string {
  return '';
}

function read(
  reservation: RedisReservation,
  answer: readonly number[],
  now: number,
): RedisReservation | RateLimitDenial {
  if (answer[0] === 0) {
    const { rule } = reservation.claims[answer[1]! - 1]!;
    return { rule, used: answer[2]!, resetAt: now + answer[3]! };
  }
  for (let index = 0; index < reservation.claims.length; index++) {
    const at = 1 + index * 3;
    reservation.slots.push(answer[at]!);
    reservation.remaining.push(answer[at + 1]!);
    reservation.resetAt.push(now + answer[at + 2]!);
  }
  return reservation;
}

import type { Clock } from '../../core/ports.ts';
import type { ReplicaRepository } from '../../core/store.ts';
import { type RedisLink, type Unavailable, unavailable } from '../redis/link.ts';
import { beat, leave, type Membership, type Part, replicaName } from '../redis/members.ts';
import type { OwnPart } from './part.ts';

export interface PresenceOptions {
  readonly id: string;
  readonly link: RedisLink | null;
  readonly replicas: ReplicaRepository | null;
  readonly clock: Pick<Clock, 'tick'>;
  /** Told what Redis has set aside for this replica. */
  readonly own: Pick<OwnPart, 'held' | 'hold'>;
}

/** A replica whose figure in the store stands still for so long is dead. */
const storeLifeMs = 15_000;
const forgottenMs = 600_000;
/** What somebody admitted before that is in no window any more. */
const recentMs = 65_000;

/** How many replicas there are: from signs of life in Redis, or in the store while Redis is away. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #name: string;
  readonly #seen = new Map<string, { beats: number; changedTick: number }>();
  /** When Redis last named each of the others. */
  readonly #named = new Map<string, number>();
  #toldRun = '';
  #beating: Promise<Membership | Unavailable> = Promise.resolve(unavailable);
  #inRedis = 0;
  #redisTick = Number.NEGATIVE_INFINITY;
  #inStore: readonly string[] = [];

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#name = replicaName(options.id);
  }

  /** At least 1: this one. */
  get count(): number {
    const { link, clock } = this.#options;
    if (link?.isUp === true && this.#inRedis > 0) return this.#inRedis;
    // What Redis said last is newer than what the store says, for a while.
    const isRecent = clock.tick() - this.#redisTick < storeLifeMs;
    const inStore = this.#inStore.length;
    return Math.max(1, inStore, isRecent || inStore === 0 ? this.#inRedis : 0);
  }

  /** Redis has heard of all that was admitted here. */
  told(run: string): void {
    this.#toldRun = run;
  }

  /** One after the other: an answer must not be older than what was said since. */
  beatInRedis(): Promise<Membership | Unavailable> {
    this.#beating = this.#beating.then(() => this.#beat());
    return this.#beating;
  }

  async #beat(): Promise<Membership | Unavailable> {
    const { own } = this.#options;
    const before = own.held;
    const answer = await this.#beatOnce();
    if (answer === unavailable || isSame(before, own.held)) return answer;
    // What is held less of is free for others only when it is said.
    return this.#beatOnce();
  }

  async #beatOnce(): Promise<Membership | Unavailable> {
    const { link, clock, own } = this.#options;
    if (link === null) return unavailable;
    const tick = clock.tick();
    for (const [name, seenTick] of this.#named) if (tick - seenTick > recentMs) this.#named.delete(name);
    const alive = this.#inStore.map(replicaName).filter((name) => name !== this.#name);
    const answer = await beat(link, this.#name, this.#toldRun, own.held, alive, [...this.#named.keys()]);
    if (answer === unavailable) return answer;
    own.hold(answer.part, answer.isAlone);
    for (const name of answer.replicas) if (name !== this.#name) this.#named.set(name, tick);
    this.#inRedis = answer.replicas.length;
    this.#redisTick = clock.tick();
    return answer;
  }

  /** Rejects when the store is away; what was known stays. */
  async beatInStore(): Promise<void> {
    const { replicas, id, clock } = this.#options;
    if (replicas === null) return;
    const beats = await replicas.beat(id);
    const tick = clock.tick();
    const dead: string[] = [];
    const live: string[] = [];
    for (const one of beats) {
      const known = this.#seen.get(one.id);
      if (known === undefined || known.beats !== one.beats) {
        this.#seen.set(one.id, { beats: one.beats, changedTick: tick });
        live.push(one.id);
      } else if (tick - known.changedTick < storeLifeMs) live.push(one.id);
      else if (tick - known.changedTick > forgottenMs) dead.push(one.id);
    }
    this.#inStore = live;
    for (const one of dead) this.#seen.delete(one);
    await replicas.remove(dead);
  }

  /** The others need not wait for the signs to stop. */
  async leave(): Promise<void> {
    const { link, replicas, id } = this.#options;
    if (link !== null) await leave(link, this.#name);
    await replicas?.remove([id]).catch(() => {});
  }
}

function isSame(one: Part | null, other: Part | null): boolean {
  return one?.from === other?.from && one?.to === other?.to;
}

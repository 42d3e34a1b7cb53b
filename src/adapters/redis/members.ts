import type { RedisLink, Unavailable } from './link.ts';
import { unavailable } from './link.ts';
import { leaveScript, memberScript } from './member-scripts.ts';

/** A part of every limit, from `from` to `to` of one, that a replica may use without asking. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

export interface Membership {
  /** `tell`: Redis must first hear what was admitted here; `wait`: others have yet to tell; `ready`: Redis decides. */
  readonly state: 'tell' | 'wait' | 'ready';
  /** Which run of the server this is: another one may have forgotten what an earlier one had counted. */
  readonly run: string;
  /** To be held from now on. */
  readonly part: Part | null;
  /** Nobody else can have used anything in the last minute. */
  readonly isAlone: boolean;
  readonly replicas: readonly string[];
}

const states = ['tell', 'wait', 'ready'] as const;
/** Longer than a few beats, shorter than it takes the store to see that somebody is gone. */
const lifeMs = 8_000;

export function membersKey(link: Pick<RedisLink, 'prefix'>): string {
  return `${link.prefix}:{limits}:members`;
}

/** Short, for it stands in every counter. */
export function replicaName(id: string): string {
  return id.replaceAll(/[^\w-]/g, '').slice(0, 13);
}

/** A sign of life of this replica; says what it holds, and hears what it shall hold. */
export async function beat(
  link: RedisLink,
  name: string,
  toldRun: string,
  held: Part | null,
  alive: readonly string[],
  recent: readonly string[],
): Promise<Membership | Unavailable> {
  const part = held === null ? ['', ''] : [String(held.from), String(held.to)];
  const values = ['', name, lifeMs, toldRun, ...part, alive.length, ...alive, ...recent];
  const answer = await link.call((client) => memberScript.run(client, [membersKey(link)], values));
  if (answer === unavailable) return unavailable;
  const [state, run, from, to, isAlone, ...replicas] = answer as [number, string, string, string, number, ...string[]];
  return {
    state: states[state]!,
    run,
    part: from === '' ? null : { from: Number(from), to: Number(to) },
    isAlone: isAlone === 1,
    replicas,
  };
}

export async function leave(link: RedisLink, name: string): Promise<void> {
  await link.call((client) => leaveScript.run(client, [membersKey(link)], [name]));
}

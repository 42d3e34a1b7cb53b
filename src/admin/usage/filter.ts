import { z } from 'zod';
import { lifetimeEnd, parseDuration } from '../../core/duration.ts';
import { GatewayError } from '../../core/errors.ts';
import type { UsageFilter } from '../../core/store.ts';
import type { Actor } from '../actor.ts';
import type { ControlPlane } from '../control-plane.ts';
import { instant } from '../instant.ts';
import { keyIdOf } from '../key.ts';
import { spendScope } from '../spend-scope.ts';
import { filterNames, usageDimensions } from './dimensions.ts';

const one = z.string().min(1).max(512).optional();

/** Query fields that choose requests, shared by sums and search. */
export const filterFields = {
  from: one.describe('start: a date, an ISO 8601 time, or how long ago (24h, 7d); inclusive'),
  to: one.describe('end: the same; exclusive, a bare date includes its day; now by default'),
  key: one.describe('a key, its id, or its alias'),
  user: one,
  team: one,
  organization: one,
  end_user: one,
  tag: one,
  model: one.describe('the model that answered, as its provider calls it'),
  model_group: one.describe('the public name of the model that answered'),
  deployment: one,
  provider: one,
  status: z.enum(['success', 'failure', 'denied', 'aborted', 'unknown']).optional(),
};

const filterQuery = z.object(filterFields);
export type FilterQuery = z.output<typeof filterQuery>;

export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** What an actor may see of what it asks for; what is not its own is refused. */
export async function filterOf(plane: ControlPlane, actor: Actor, query: FilterQuery): Promise<UsageFilter> {
  const key = query.key === undefined ? undefined : await keyNamed(plane, query.key);
  const scope = spendScope(actor, { api_key: key, user_id: query.user, team_id: query.team });
  const filter: Record<string, unknown> = { ...scope };
  for (const name of filterNames) {
    const wanted = query[name];
    if (wanted === undefined || name === 'key' || name === 'user' || name === 'team') continue;
    filter[usageDimensions[name].filter] = wanted;
  }
  return filter as UsageFilter;
}

/** An alias stands for its key; anything else is a key or its id. */
async function keyNamed(plane: ControlPlane, given: string): Promise<string> {
  if (given.startsWith('sk-') || /^[0-9a-f]{64}$/.test(given)) return keyIdOf(given);
  const [row] = await plane.store.keys.list({ where: { alias: given }, limit: 1 });
  return row?.id ?? given;
}

/** The time asked for, the last `defaultMs` when none is. */
export function rangeOf(query: Pick<FilterQuery, 'from' | 'to'>, now: number, defaultMs: number): TimeRange {
  const from = timeOf(query.from, 'from', now) ?? now - defaultMs;
  const to = timeOf(query.to, 'to', now) ?? now;
  if (from < to) return { from, to };
  throw new GatewayError('malformed_request', 'from must be before to.', { param: 'from' });
}

function timeOf(text: string | undefined, param: 'from' | 'to', now: number): number | undefined {
  if (text === undefined || text === 'now') return undefined;
  if (/^\d+[a-z]+$/.test(text)) {
    try {
      if (parseDuration(text) !== null) return 2 * now - lifetimeEnd(text, now)!;
    } catch (error) {
      throw new GatewayError('malformed_request', `${param}: ${(error as Error).message}`, { param });
    }
  }
  return instant(text, param, param === 'from' ? 'start' : 'end', 'how long ago (24h, 7d)');
}

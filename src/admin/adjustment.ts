import { GatewayError } from '../core/errors.ts';
import type { Scope } from '../core/identity.ts';
import { formatDollars, type Nanodollars } from '../core/money.ts';
import type { RequestRecord } from '../core/request-record.ts';
import type { AccountRecord, Repositories } from '../core/store.ts';
import { keyAccountId } from '../core/store.ts';
import { windowOf } from '../core/window.ts';
import type { Actor } from './actor.ts';
import { notFound } from './authorize.ts';
import type { ControlPlane } from './control-plane.ts';
import { keyIdOf } from './key.ts';

export interface Credit {
  readonly scope: Scope;
  /** As the operator names it; a key may be given as itself. */
  readonly id: string;
  /** '' = the accounts over all models. */
  readonly model: string;
  /** null = what the request named has cost. */
  readonly amount: Nanodollars | null;
  readonly reason: string;
  /** A void: the request whose cost is given back. */
  readonly requestId: string | null;
}

/**
 * Gives money back to every running window of a subject: the only way in which `spent` falls. The lines and the audit
 * rows are written in the same transaction; either all windows are credited or none.
 */
export async function credit(plane: ControlPlane, actor: Actor, wanted: Credit): Promise<AccountRecord[]> {
  await plane.ledger.flush();
  const request = wanted.requestId === null ? undefined : await plane.store.usage.get(wanted.requestId);
  if (wanted.requestId !== null && request === undefined) throw notFound('request', wanted.requestId);
  const amount = wanted.amount ?? request?.cost ?? 0;
  if (amount <= 0) {
    throw new GatewayError('malformed_request', 'amount: expected more than 0 US dollars to give back.', {
      param: 'amount',
    });
  }
  const id = wanted.scope === 'key' ? await accountIdOfKey(plane, wanted.id) : wanted.id;
  const accounts = await runningAccounts(plane, wanted, id);
  const changed = await plane.store.transaction(async (repositories) => {
    const rows: AccountRecord[] = [];
    for (const account of accounts) {
      if (request !== undefined) await requireUncredited(plane, repositories, account, request, amount);
      rows.push(await creditOne(plane, actor, repositories, account, amount, wanted));
    }
    return rows;
  });
  await plane.ledger.reread(changed);
  return changed;
}

const subjectsAtOnce = 200;

/** Gives back what keys and teams have spent in the windows that are running, over all models; how many accounts it were. */
export async function giveAllBack(plane: ControlPlane, actor: Actor, reason: string): Promise<number> {
  await plane.ledger.flush();
  let count = 0;
  for (const scope of ['key', 'team'] as const) {
    for (let offset = 0; ; offset += subjectsAtOnce) {
      const page = { limit: subjectsAtOnce, offset };
      const ids =
        scope === 'key'
          ? (await plane.store.keys.list(page)).map(keyAccountId)
          : (await plane.store.teams.list(page)).map(({ id }) => id);
      if (ids.length === 0) break;
      const spent = (await plane.store.accounts.ofScope(scope, ids)).filter(
        (account) => account.spent > 0 && isRunning(plane, account),
      );
      const changed = await plane.store.transaction(async (repositories) => {
        const rows: AccountRecord[] = [];
        for (const account of spent) {
          const wanted = {
            scope,
            id: account.id,
            model: account.model,
            amount: account.spent,
            reason,
            requestId: null,
          };
          rows.push(await creditOne(plane, actor, repositories, account, account.spent, wanted));
        }
        return rows;
      });
      if (changed.length > 0) await plane.ledger.reread(changed);
      count += changed.length;
    }
  }
  return count;
}

function isRunning(plane: ControlPlane, { duration, windowStart }: AccountRecord): boolean {
  const { timezone } = plane.snapshot().settings;
  return windowOf(duration || null, timezone, plane.clock.now()).start === windowStart;
}

async function accountIdOfKey(plane: ControlPlane, key: string): Promise<string> {
  const row = await plane.store.keys.get(keyIdOf(key));
  if (row === undefined) throw notFound('key', key);
  return keyAccountId(row);
}

async function runningAccounts(plane: ControlPlane, wanted: Credit, id: string): Promise<AccountRecord[]> {
  const running = (await plane.store.accounts.ofScope(wanted.scope, [id]))
    .filter((account) => account.model === wanted.model && isRunning(plane, account))
    .sort((one, other) => (one.key < other.key ? -1 : 1));
  if (running.length > 0) return running;
  throw new GatewayError('not_found', `Nothing was spent by this ${wanted.scope} in a window that is running.`, {
    param: 'id',
  });
}

/** A request is given back once at most, and only in the window it was made in. */
async function requireUncredited(
  plane: ControlPlane,
  { adjustments }: Repositories,
  account: AccountRecord,
  request: RequestRecord,
  amount: Nanodollars,
): Promise<void> {
  const { timezone } = plane.snapshot().settings;
  if (windowOf(account.duration || null, timezone, request.startedAt).start !== account.windowStart) {
    throw refused('request_id', `request ${request.id} was not made in the window that is running`);
  }
  const before = await adjustments.creditedFor(request.id, account.key, account.windowStart);
  if (before + amount <= request.cost) return;
  throw refused(
    'amount',
    `request ${request.id} cost ${formatDollars(request.cost)}, of which ${formatDollars(before)} were given back before`,
  );
}

async function creditOne(
  plane: ControlPlane,
  actor: Actor,
  repositories: Repositories,
  account: AccountRecord,
  amount: Nanodollars,
  { reason, requestId }: Credit,
): Promise<AccountRecord> {
  const { key, windowStart } = account;
  const at = plane.clock.now();
  const line = { id: plane.chance.id(), at, actor: actor.name, reason, requestId, key, windowStart, amount };
  const after = await repositories.adjustments.credit(line);
  if (after === null) {
    throw refused(
      'amount',
      `only ${formatDollars(account.spent)} were spent in the window of ${account.duration || 'all time'}`,
    );
  }
  await repositories.audit.insert({
    id: plane.chance.id(),
    at,
    actor: actor.name,
    actorKeyId: actor.principal.kind === 'virtual_key' ? actor.principal.keyId : null,
    action: 'updated',
    resource: 'account',
    objectId: `${key}@${windowStart}`,
    before: { spent: after.spent + amount },
    after: { spent: after.spent, credited: amount, reason, requestId },
  });
  return after;
}

function refused(param: string, why: string): GatewayError {
  return new GatewayError('malformed_request', `${param}: ${why}.`, { param });
}

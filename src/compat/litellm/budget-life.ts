import { z } from 'zod';
import { credit } from '../../admin/adjustment.ts';
import { authorize, notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { keyIdOf, keyResource } from '../../admin/key.ts';
import { accountKey } from '../../core/books.ts';
import { GatewayError } from '../../core/errors.ts';
import { scopes } from '../../core/identity.ts';
import type { BudgetRule } from '../../core/limits.ts';
import { dollarsFromNanodollars, nanodollarsMax } from '../../core/money.ts';
import { windowOf } from '../../core/window.ts';
import { dollars, identifier, inDollars, isoTime } from './fields.ts';

const tag = 'budgets';
const text = z.string().nullable();
const figure = z.number().nullable();

const chainOutput = z.object({
  key: z.string(),
  accounts: z.array(
    z.object({
      scope: z.string(),
      id: z.string(),
      label: z.string(),
      model: text,
      max_budget: figure,
      temp_budget_increase: figure,
      soft_budget: figure,
      spent: z.number(),
      held: z.number(),
      remaining: figure,
      budget_duration: text,
      window_start: text,
      window_end: text,
    }),
  ),
});

const accountOutput = z.object({
  scope: z.string(),
  id: z.string(),
  model: text,
  budget_duration: text,
  window_start: text,
  spent: z.number(),
});

/** Ours: what is left on a key's chain, and money given back. */
export function budgetLifeEndpoints(plane: ControlPlane): Endpoint[] {
  return [
    endpoint('GET /budget/chain', {
      access: 'any_key',
      group: 'info_routes',
      tag,
      summary:
        'Cap, spent, held and window of every budget that a request with this key must fit; your own key by default.',
      query: z.object({ key: z.string().min(1).max(512).optional() }),
      response: chainOutput,
      async run({ actor, query }) {
        const given = query.key ?? actor.principal.keyId;
        const row = await plane.store.keys.get(keyIdOf(given));
        if (row === undefined) throw notFound('key', given);
        authorize(actor, 'read', keyResource.ownership(row));
        const principal = await plane.principals.find(row.id);
        if (principal === undefined) throw notFound('key', given);
        const ofTags = await Promise.all(principal.tags.map((name) => plane.principals.tag(name)));
        const { globalBudget } = plane.snapshot().settings;
        const rules = [...principal.budgets, ...ofTags.flatMap(({ budgets }) => budgets)];
        if (globalBudget !== null) rules.push(globalBudget);
        return { key: row.id, accounts: await shownChain(plane, rules) };
      },
    }),
    endpoint('POST /budget/adjust', {
      access: 'admin',
      tag,
      summary:
        'Give money back (a credit, or with request_id a void): spent falls in every running window of the subject.',
      body: z.object({
        scope: z.enum(scopes),
        id: identifier.describe('of the key (itself, or its hash), user, team, team/user, organization …'),
        model: identifier.nullish().describe('the budget of this model inside the subject'),
        amount: dollars.nullish().describe('US dollars to give back; with request_id, what that request cost'),
        reason: z.string().trim().min(1).max(1_000),
        request_id: identifier.nullish(),
      }),
      response: z.object({ accounts: z.array(accountOutput) }),
      async run({ actor, body }) {
        if ((body.amount ?? null) === null && !body.request_id)
          throw new GatewayError('malformed_request', 'Name the amount to give back, or the request in request_id.', {
            param: 'amount',
          });
        const accounts = await credit(plane, actor, {
          scope: body.scope,
          id: body.id,
          model: body.model ?? '',
          amount: body.amount ?? null,
          reason: body.reason,
          requestId: body.request_id ?? null,
        });
        return {
          accounts: accounts.map((account) => ({
            scope: account.scope,
            id: account.id,
            model: account.model || null,
            budget_duration: account.duration || null,
            window_start: account.windowStart === 0 ? null : isoTime(account.windowStart),
            spent: dollarsFromNanodollars(account.spent),
          })),
        };
      },
    }),
  ];
}

async function shownChain(plane: ControlPlane, rules: readonly BudgetRule[]) {
  const now = plane.clock.now();
  const refs = rules.map((rule) => {
    const window = windowOf(rule.duration, rule.timezone, now);
    return {
      key: accountKey(rule.scope, rule.id, rule.model ?? '', rule.duration ?? ''),
      windowStart: window.start,
      end: window.end,
    };
  });
  const stored = new Map(
    (await plane.store.accounts.balances(refs)).map((row) => [`${row.key}@${row.windowStart}`, row.spent]),
  );
  return rules.map((rule, index) => {
    const { key, windowStart, end } = refs[index]!;
    const live = plane.ledger.balance(rule);
    const spent = Math.max(live.spent, stored.get(`${key}@${windowStart}`) ?? 0);
    const increase = rule.increase !== null && now < rule.increase.until ? rule.increase.amount : null;
    const cap = rule.cap === null ? null : Math.min(nanodollarsMax, rule.cap + (increase ?? 0));
    return {
      scope: rule.scope,
      id: rule.id,
      label: rule.label,
      model: rule.model,
      max_budget: inDollars(cap),
      temp_budget_increase: inDollars(increase),
      soft_budget: inDollars(rule.softCap),
      spent: dollarsFromNanodollars(spent),
      held: dollarsFromNanodollars(live.held),
      remaining: cap === null ? null : dollarsFromNanodollars(Math.max(0, cap - spent - live.held)),
      budget_duration: rule.duration,
      window_start: windowStart === 0 ? null : isoTime(windowStart),
      window_end: isoTime(end),
    };
  });
}

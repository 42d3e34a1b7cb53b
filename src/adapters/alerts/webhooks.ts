import { dollarsFromNanodollars } from '../../core/money.ts';
import type { Alert, BudgetAlert, ConditionAlert } from '../../core/ports.ts';
import type { Secret } from '../../core/secret.ts';
import type { AlertChannel } from './delivery.ts';

const answerMs = 10_000;

const eventGroups: Readonly<Partial<Record<BudgetAlert['scope'], string>>> = {
  key: 'key',
  user: 'internal_user',
  team: 'team',
  team_member: 'team',
  end_user: 'customer',
};

/** LiteLLM's budget event as JSON. */
export function webhookChannel(address: Secret): AlertChannel {
  return { name: 'webhook', send: (alert) => post(address, eventOf(alert)) };
}

export function slackChannel(address: Secret): AlertChannel {
  return { name: 'slack', send: (alert) => post(address, { text: alert.message }) };
}

function eventOf(alert: Alert): object {
  return 'scope' in alert ? budgetEvent(alert) : conditionEvent(alert);
}

/** The same shape, as far as it fits; what is known besides stands in it by name. */
function conditionEvent({ event, subject, message, facts }: ConditionAlert): object {
  return { event, event_group: 'proxy', event_message: message, subject, ...facts };
}

function budgetEvent(alert: BudgetAlert): object {
  const { scope, subjectId, label, event, message } = alert;
  return {
    spend: dollarsFromNanodollars(alert.spent),
    max_budget: alert.cap === null ? null : dollarsFromNanodollars(alert.cap),
    soft_budget: alert.softCap === null ? null : dollarsFromNanodollars(alert.softCap),
    token: scope === 'key' ? subjectId : null,
    user_id: scope === 'user' ? subjectId : null,
    team_id: scope === 'team' ? subjectId : null,
    user_email: null,
    key_alias: scope === 'key' ? label : null,
    projected_exceeded_date: null,
    projected_spend: null,
    event,
    event_group: eventGroups[scope] ?? 'proxy',
    event_message: message,
  };
}

/** Neither the address nor what it answers stands in an error: the address is a credential. */
async function post(address: Secret, body: object): Promise<void> {
  let status: number;
  try {
    const answer = await fetch(address.reveal(), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(answerMs),
    });
    status = answer.status;
    await answer.body?.cancel();
  } catch {
    throw new Error('no answer');
  }
  if (status < 200 || status >= 300) throw new Error(`answered ${status}`);
}

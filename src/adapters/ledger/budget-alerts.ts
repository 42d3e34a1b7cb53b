import { formatDollars, type Nanodollars } from '../../core/money.ts';
import type { AlertSink, BudgetAlert } from '../../core/ports.ts';
import type { Account } from './account.ts';
import type { Hold } from './hold.ts';

/** Per cent of a hard budget that are worth a word, highest first. */
const sharesTold = [95, 85] as const;

/** Notices budgets that are crossed: each kind once for every window, whatever happens after. */
export class BudgetAlerts {
  readonly #sink: AlertSink;

  constructor(sink: AlertSink) {
    this.#sink = sink;
  }

  /** After a settlement: has what was spent reached a soft budget, or come close to the hard one? */
  spent(hold: Hold): void {
    for (let at = 0; at < hold.accounts.length; at++) {
      this.#nearCap(hold, at);
      const account = hold.accounts[at]!;
      const { softCap } = hold.rules[at]!;
      if (softCap === null || account.softAlerted === softCap) continue;
      const spent = spentOf(account);
      if (spent < softCap) continue;
      account.softAlerted = softCap;
      this.#tell('soft_budget_crossed', hold, at, spent);
    }
  }

  #nearCap(hold: Hold, at: number): void {
    const account = hold.accounts[at]!;
    const cap = hold.caps[at]!;
    if (cap === null || cap === 0 || account.shareAlerted === sharesTold[0]) return;
    const spent = spentOf(account);
    if (spent * 100 < cap * sharesTold[1]) return;
    const share = sharesTold.find((one) => spent * 100 >= cap * one);
    if (share === undefined || share <= account.shareAlerted) return;
    account.shareAlerted = share;
    this.#tell('threshold_crossed', hold, at, spent, share);
  }

  /** After a refusal that what was spent explains by itself, without what is only held. */
  refused(hold: Hold, at: number, bound: Nanodollars): void {
    const account = hold.accounts[at]!;
    const cap = hold.caps[at]!;
    const spent = spentOf(account);
    if (cap === null || spent + bound <= cap || account.capAlerted === cap) return;
    account.capAlerted = cap;
    this.#tell('budget_crossed', hold, at, spent);
  }

  #tell(event: BudgetAlert['event'], hold: Hold, at: number, spent: Nanodollars, share = 0): void {
    const account = hold.accounts[at]!;
    const { scope, id, label, model, softCap } = hold.rules[at]!;
    const cap = hold.caps[at]!;
    const subject = `${scope.replace('_', ' ')} ${label}${model === null ? '' : ` (model ${model})`}`;
    const limit = event === 'soft_budget_crossed' ? softCap! : cap!;
    const reset = account.windowEnd === null ? '' : ` It resets at ${new Date(account.windowEnd).toISOString()}.`;
    const what = {
      soft_budget_crossed: 'crossed its soft budget',
      threshold_crossed: `used ${share} % of its budget`,
      budget_crossed: 'used up its budget',
    }[event];
    this.#sink.alert({
      id: `${event}${share === 0 ? '' : share}|${account.key}@${account.windowStart}|${limit}`,
      event,
      scope,
      subjectId: id,
      label,
      spent,
      cap,
      softCap,
      message: `Budget alert: ${subject} ${what}: spent ${formatDollars(spent)} of ${formatDollars(limit)} dollars.${reset}`,
    });
  }
}

function spentOf(account: Account): Nanodollars {
  return account.charged - account.lease + account.pending;
}

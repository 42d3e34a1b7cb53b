import { dollarsFromNanodollars } from '../../core/money.ts';
import type { ConditionAlert } from '../../core/ports.ts';
import type { UsageRepository, UsageSummary } from '../../core/store.ts';

const listed = 5;

/** What a period cost, by whom and for what, for people. */
export async function spendReport(
  usage: Pick<UsageRepository, 'summarize'>,
  period: { readonly from: number; readonly to: number },
): Promise<ConditionAlert> {
  const teams = await usage.summarize(period, ['teamId']);
  const models = await usage.summarize(period, ['modelGroup']);
  const spend = dollarsFromNanodollars(teams.reduce((sum, { cost }) => sum + cost, 0));
  const requests = teams.reduce((sum, one) => sum + one.requests, 0);
  const from = new Date(period.from).toISOString().slice(0, 16);
  const to = new Date(period.to).toISOString().slice(0, 16);
  return {
    id: `spend_report|${from}|${to}`,
    event: 'spend_report',
    subject: 'the gateway',
    message:
      `Spend report, ${from} to ${to} UTC: ${spend.toFixed(2)} dollars for ${requests} requests. ` +
      `Teams: ${top(teams, ({ group }) => group.teamId ?? 'none')}. Models: ${top(models, ({ group }) => group.modelGroup ?? 'none')}.`,
    facts: { from, to, spend, requests },
  };
}

function top(rows: readonly UsageSummary[], nameOf: (row: UsageSummary) => string): string {
  if (rows.length === 0) return 'none';
  const largest = rows.toSorted((a, b) => b.cost - a.cost).slice(0, listed);
  return largest.map((row) => `${nameOf(row)} ${dollarsFromNanodollars(row.cost).toFixed(2)}`).join(', ');
}

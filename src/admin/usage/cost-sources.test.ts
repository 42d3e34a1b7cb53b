import { expect, it } from 'vitest';
import { snapshot } from '../../../test/builders.ts';
import { requestRecord } from '../../../test/contract/records.ts';
import type { Store, UsageMeasures, UsageSummary } from '../../core/store.ts';
import { costSources } from './cost-sources.ts';

const dayMs = 86_400_000;
const range = { from: 100 * dayMs, to: 131 * dayMs };
const now = 130.5 * dayMs;

function recorded(startedAt: number | null, firstDay = startedAt ?? 0): Pick<Store, 'usage'> {
  const day = new Date(firstDay).toISOString().slice(0, 10);
  const usage: Partial<Store['usage']> = {
    measure: async () => [
      {
        group: { status: 'success', deploymentId: 'd', provider: 'p' },
        requests: 60,
        cost: 0,
        fallbacks: 0,
      } as unknown as UsageMeasures,
    ],
    summarize: async () => [{ group: { day } } as UsageSummary],
    list: async () => (startedAt === null ? [] : [requestRecord('r', { startedAt })]),
  };
  return { usage: usage as Store['usage'] };
}

it('a load is that of the time since the first request, not of the time before there was a gateway', async () => {
  const hours = async (store: Pick<Store, 'usage'>) => (await costSources(store, snapshot(), range, now)).traffic.hours;
  expect(await hours(recorded(now - 3_600_000))).toBe(1);
  // Rows that were removed for age: their day's sums are still there.
  expect(await hours(recorded(now - 3_600_000, 120 * dayMs))).toBe(10.5 * 24);
  expect(await hours(recorded(null, 90 * dayMs))).toBe(30.5 * 24);
  expect(await hours(recorded(now - 5))).toBeCloseTo(1 / 60);
});

it('leaves health checks out of the traffic and says what they cost', async () => {
  const group = { status: 'success', deploymentId: 'd', provider: 'p' };
  const sums = { requests: 10, cost: 5_000_000, inputTokens: 70, outputTokens: 50, overheadMs: 10, fallbacks: 0 };
  const usage = {
    ...recorded(now - 3_600_000).usage,
    measure: async ({ tag }: { tag?: string }) => [
      tag === 'health-check'
        ? { group, ...sums }
        : {
            group,
            requests: 30,
            cost: 9_000_000,
            inputTokens: 2_070,
            outputTokens: 1_050,
            overheadMs: 50,
            fallbacks: 0,
          },
      ...(tag === undefined ? [{ group: { ...group, status: 'failure' }, ...sums, cost: 0 }] : []),
    ],
  } as unknown as Store['usage'];
  const { traffic, healthChecks } = await costSources({ usage }, snapshot(), range, now);
  expect(healthChecks).toEqual({ requests: 10, dollars: 0.005 });
  expect(traffic).toMatchObject({ requests: 20, inputTokens: 2_000, outputTokens: 1_000, meanOverheadMs: 2 });
  expect(traffic.costByProvider.p).toBeCloseTo(0.004, 12);
});

import { describe, expect, it } from 'vitest';
import { silentLog, TestClock } from '../../../test/builders.ts';
import { requestRecord } from '../../../test/contract/records.ts';
import { alertSettings } from '../../config/alert-settings.ts';
import { nanodollarsPerDollar } from '../../core/money.ts';
import type { Alert } from '../../core/ports.ts';
import type { UsageSummary } from '../../core/store.ts';
import { AlertWatch } from './watch.ts';

const day = (clock: TestClock, ago: number) => new Date(clock.now() - ago * 86_400_000).toISOString().slice(0, 10);

function watching(
  more: { reportEveryMs?: number; days?: (clock: TestClock) => { day: string; dollars: number }[] } = {},
) {
  const clock = new TestClock();
  const told: Alert[] = [];
  const state = { store: true, redis: null as boolean | null, dropped: 0, asked: 0 };
  const watch = new AlertWatch({
    alerts: { alert: (alert) => void told.push(alert) },
    settings: { ...alertSettings(null, {}), reportEveryMs: more.reportEveryMs ?? null },
    clock,
    log: silentLog,
    usage: {
      summarize: async () => {
        state.asked += 1;
        return (more.days?.(clock) ?? []).map(
          ({ day: name, dollars }) => ({ group: { day: name }, cost: dollars * nanodollarsPerDollar }) as UsageSummary,
        );
      },
    },
    storeIsUp: () => state.store,
    redisIsUp: () => state.redis,
    sinks: () => [{ name: 'langfuse', counts: { dropped: state.dropped } }],
  });
  const tried = (result: string, durationMs: number, count: number) => {
    for (let turn = 0; turn < count; turn++) {
      const attempt = {
        deploymentId: 'd1',
        group: 'm',
        provider: 'acme',
        model: 'm-1',
        startedAt: 0,
        durationMs,
        status: null,
        result,
        ambiguous: false,
        charged: 0,
      };
      watch.record(requestRecord(`r${turn}`, { attempts: [attempt] }));
    }
  };
  const events = () => told.map(({ event }) => event);
  return { clock, told, state, watch, tried, events };
}

describe('alerts over deployments', () => {
  it('tell of one that fails half of what it is asked, once an hour', async () => {
    const { watch, tried, events, told, clock } = watching();
    tried('success', 100, 4);
    tried('upstream_unavailable', 100, 3);
    await watch.look();
    expect(events()).toEqual([]);
    tried('upstream_unavailable', 100, 2);
    await watch.look();
    await watch.look();
    expect(new Set(told.map(({ id }) => id)).size).toBe(1);
    expect(told[0]).toMatchObject({ event: 'deployment_failing', facts: { attempts: 9, failures: 5 } });
    expect(told[0]!.message).toContain('m-1 (d1) failed 5 of 9 attempts');
    clock.advance(3_600_000);
    await watch.look();
    tried('upstream_unavailable', 100, 9);
    await watch.look();
    expect(new Set(told.map(({ id }) => id)).size).toBe(2);
  });

  it('say nothing of a few attempts, and nothing of callers who left', async () => {
    const { watch, tried, events } = watching();
    tried('upstream_unavailable', 100, 4);
    tried('aborted', 400_000, 50);
    await watch.look();
    expect(events()).toEqual([]);
  });

  it('tell of one that is slow', async () => {
    const { watch, tried, told } = watching();
    tried('success', 301_000, 5);
    await watch.look();
    expect(told).toMatchObject([{ event: 'deployment_slow', facts: { slow: 5, threshold_seconds: 300 } }]);
  });
});

describe('alerts over stores', () => {
  it('tell of an outage once it lasts, and of its end', async () => {
    const { watch, clock, state, told, events } = watching();
    state.store = false;
    await watch.look();
    clock.advance(5_000);
    await watch.look();
    expect(events()).toEqual([]);
    clock.advance(6_000);
    await watch.look();
    clock.advance(60_000);
    await watch.look();
    expect(told).toMatchObject([{ event: 'store_down', subject: 'the database', unclaimed: true }]);
    state.store = true;
    await watch.look();
    expect(told[1]!.message).toBe('The gateway reaches the database again, after 71 seconds.');
    expect(events()).toEqual(['store_down', 'store_back']);
  });

  it('say nothing of a moment, nor of a Redis that nobody has', async () => {
    const { watch, clock, state, events } = watching();
    state.redis = false;
    await watch.look();
    state.redis = true;
    clock.advance(20_000);
    await watch.look();
    expect(events()).toEqual([]);
  });
});

describe('reports of spend', () => {
  it('come once a period, of the period that is over', async () => {
    const { watch, told, clock } = watching({ reportEveryMs: 86_400_000, days: () => [{ day: 'x', dollars: 5 }] });
    await watch.look();
    expect(told).toEqual([]);
    clock.advance(86_400_000);
    await watch.look();
    await watch.look();
    expect(told).toMatchObject([{ event: 'spend_report', facts: { spend: 5 } }]);
    expect(told[0]!.message).toMatch(/5\.00 dollars .* Teams: none 5\.00\. Models: none 5\.00\./);
  });
});

describe('alerts over sinks', () => {
  it('tell of records that were lost', async () => {
    const { watch, state, told } = watching();
    await watch.look();
    state.dropped = 12;
    await watch.look();
    await watch.look();
    expect(told).toMatchObject([{ event: 'sink_losing', facts: { lost: 12 } }]);
  });
});

describe('alerts over spend', () => {
  const spent = (dollars: number) =>
    requestRecord('r', { keyId: 'k1', keyAlias: 'blue', cost: dollars * nanodollarsPerDollar });
  const usual = (today: number) => (clock: TestClock) => [
    { day: day(clock, 0), dollars: today },
    ...[1, 2, 3, 4].map((ago) => ({ day: day(clock, ago), dollars: 4 })),
  ];

  it('tell of a key that spends many times its mean day', async () => {
    const { watch, told } = watching({ days: usual(21) });
    watch.record(spent(21));
    await watch.look();
    expect(told).toMatchObject([{ event: 'spend_unusual', subject: 'blue', facts: { spend: 21, mean_day: 4 } }]);
  });

  it('say nothing of what is usual, small, or without days to compare with', async () => {
    for (const days of [usual(19), usual(9), (clock: TestClock) => [{ day: day(clock, 0), dollars: 500 }]]) {
      const { watch, events } = watching({ days });
      watch.record(spent(50));
      await watch.look();
      expect(events()).toEqual([]);
    }
  });

  it('ask the store only about keys whose spend could matter', async () => {
    const { watch, state } = watching({ days: usual(0) });
    watch.record(spent(0.5));
    await watch.look();
    expect(state.asked).toBe(0);
    watch.record(spent(0.6));
    await watch.look();
    expect(state.asked).toBe(1);
  });
});

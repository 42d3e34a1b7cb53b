import { expect, it } from 'vitest';
import { requestRecord } from '../../../test/contract/records.ts';
import { snapshotOf } from '../../../test/journeys/gateway-rig.ts';
import type { Attempt, RequestRecord } from '../../core/request-record.ts';
import { noUsage } from '../../core/usage.ts';
import { simulate } from './run.ts';
import { VirtualClock } from './virtual-clock.ts';

const start = Date.UTC(2026, 10, 1);
const perToken = 1e-6;

const entry = (group: string, id: string, more = '') =>
  `  - {model_name: ${group}, model_info: {id: ${id}}, litellm_params: {model: openai/${id}, api_base: "http://${id}.test/v1", api_key: k, input_cost_per_token: 0, output_cost_per_token: ${perToken}${more}}}\n`;
const config = (entries: string, rest = '') => snapshotOf(`model_list:\n${entries}${rest}`);
const asItWas = config(
  entry('main', 'a') + entry('spare', 'b', ', weight: 1'),
  'router_settings: {num_retries: 0, fallbacks: [{main: [spare]}]}\n',
);

const attempt = (id: string, group: string, changes: Partial<Attempt>): Attempt => ({
  deploymentId: id,
  group,
  provider: 'openai',
  model: id,
  startedAt: 0,
  durationMs: 200,
  status: 200,
  result: 'success',
  ambiguous: false,
  charged: 0,
  ...changes,
});

/** One request a second for ten minutes; `a` is out from the third to the fifth. */
const records: RequestRecord[] = Array.from({ length: 600 }, (_, index) => {
  const at = start + index * 1_000;
  const isOut = index >= 180 && index < 300;
  const failed = attempt('a', 'main', { startedAt: at, durationMs: 50, status: 503, result: 'upstream_unavailable' });
  const outputTokens = 50 + (index % 10) * 10;
  const answered = isOut
    ? attempt('b', 'spare', { startedAt: at + 50, durationMs: 300 + outputTokens })
    : attempt('a', 'main', { startedAt: at, durationMs: 100 + outputTokens });
  return requestRecord(`r${index}`, {
    startedAt: at,
    endedAt: answered.startedAt + answered.durationMs,
    modelAsked: 'main',
    modelGroup: answered.group,
    deploymentId: answered.deploymentId,
    provider: 'openai',
    priceSource: 'config',
    usage: { ...noUsage, outputTokens },
    cost: outputTokens * 1_000,
    attempts: isOut ? [failed, answered] : [answered],
  });
});

it('gives about what was recorded for the configuration that was recorded', () => {
  const { recorded, ...result } = simulate(records, asItWas, 3, 1);
  expect(recorded).toMatchObject({ requests: 600, answered: 600, overflow: 0.2 });
  expect(result.answered.mean).toBeGreaterThan(0.99);
  expect(result.dollars.mean).toBeCloseTo(recorded.dollars, 9);
  expect(Math.abs(result.overflow.mean - 0.2)).toBeLessThan(0.04);
  expect(Math.abs(result.p50Ms.mean / recorded.p50Ms - 1)).toBeLessThan(0.1);
  expect(Math.abs(result.p99Ms.mean / recorded.p99Ms - 1)).toBeLessThan(0.1);
  expect(result.evidence.itself).toBe(1);
  expect(simulate(records, asItWas, 3, 1).simulated).toEqual(result.simulated);
});

it('shows an outage that another configuration would not have survived', () => {
  const alone = config(entry('main', 'a'), 'router_settings: {num_retries: 0}\n');
  const { simulated } = simulate(records, alone, 2, 1);
  for (const run of simulated) {
    expect(run.answered).toBeGreaterThan(450);
    expect(run.answered).toBeLessThan(500);
    expect(Object.keys(run.errors).every((code) => /upstream_unavailable|all_cooling_down/.test(code))).toBe(true);
  }
});

it('prices another route, and keeps budgets of deployments', () => {
  const cheaper = config(
    entry('main', 'b').replace(`output_cost_per_token: ${perToken}`, 'output_cost_per_token: 5e-7'),
  );
  const { recorded, dollars, evidence } = simulate(records, cheaper, 1, 1);
  expect(dollars.mean).toBeCloseTo(recorded.dollars / 2, 9);
  expect(evidence.itself).toBe(1);
  const capped = config(entry('main', 'a', ', max_budget: 0.01') + entry('main', 'c'));
  const [run] = simulate(records, capped, 1, 1).simulated;
  expect(run!.errors.deployments_over_budget).toBeUndefined();
  expect(run!.answered).toBeGreaterThan(450);
  const onlyCapped = config(entry('main', 'a', ', max_budget: 0.01'));
  expect(simulate(records, onlyCapped, 1, 1).simulated[0]!.errors.deployments_over_budget).toBeGreaterThan(300);
});

it('says what it rests on, and what it cannot say', () => {
  const other = config(entry('main', 'new'));
  expect(simulate(records, other, 1, 1).evidence).toMatchObject({ itself: 0, 'same provider': 1 });
  const gone = config(entry('else', 'a'));
  expect(simulate(records, gone, 1, 1).simulated[0]!.errors).toEqual({ unknown_model: 600 });
  const more = [
    ...records,
    requestRecord('denied', { startedAt: start, status: 'denied' }),
    { ...records[0]!, id: 'check', tags: ['health-check'] },
    requestRecord('failed', {
      startedAt: start,
      status: 'failure',
      attempts: [attempt('a', 'main', { result: 'upstream_error' })],
      modelAsked: 'main',
    }),
  ];
  expect(simulate(more, asItWas, 1, 1)).toMatchObject({ leftOut: 2, guessedUsage: 1 });
  expect(simulate([], asItWas, 2, 1).recorded.requests).toBe(0);
});

it('the clock rings in order of time, then of making, and not what was cancelled', () => {
  const clock = new VirtualClock(0);
  const rung: string[] = [];
  for (const delay of [30, 10, 20, 10, 0]) clock.setTimer(delay, () => rung.push(`${delay}@${clock.now()}`));
  clock.setTimer(15, () => rung.push('never')).cancel();
  clock.setTimer(10, () => clock.setTimer(5, () => rung.push('nested')));
  clock.runUntil(20);
  expect(rung).toEqual(['0@0', '10@10', '10@10', 'nested', '20@20']);
  clock.runUntil(Number.POSITIVE_INFINITY);
  expect(rung.at(-1)).toBe('30@30');
});

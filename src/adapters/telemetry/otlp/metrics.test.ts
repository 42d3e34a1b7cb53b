import { describe, expect, it } from 'vitest';
import { metricsRequest, strictlyDecoded, strictlyReadJson } from '../../../../test/collector/schema.ts';
import { requestRecord } from '../../../../test/contract/records.ts';
import { noUsage } from '../../../core/usage.ts';
import { RequestMetrics } from '../request-metrics.ts';
import { GenAiMetrics } from './gen-ai-metrics.ts';
import { metricsPayload } from './metrics-payload.ts';

interface Point {
  readonly startTimeUnixNano: string;
  readonly timeUnixNano: string;
  readonly asDouble?: number;
  readonly count?: string;
  readonly sum?: number;
  readonly bucketCounts?: readonly string[];
  readonly explicitBounds?: readonly number[];
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue?: string } }[];
}
interface Metric {
  readonly name: string;
  readonly unit?: string;
  readonly sum?: {
    readonly dataPoints: readonly Point[];
    readonly isMonotonic: boolean;
    readonly aggregationTemporality: number;
  };
  readonly histogram?: { readonly dataPoints: readonly Point[] };
}

const moment = { startedAt: 1_700_000_000_000, at: 1_700_000_060_000 };

describe.each(['protobuf', 'json'] as const)('metrics for a collector, in %s', (encoding) => {
  const requests = new RequestMetrics();
  const genAi = new GenAiMetrics((id) => id);
  for (const [index, ms] of [100, 700, 400_000].entries()) {
    const record = requestRecord(`r${index}`, {
      cost: 250_000_000,
      usage: { ...noUsage, inputTokens: 30, outputTokens: 5 },
      endedAt: moment.startedAt + ms,
    });
    requests.record(record);
    genAi.record(record);
  }
  const payload = metricsPayload(
    [...requests.families(), ...genAi.families()],
    moment,
    { encoding, resource: { 'service.name': 'litellm' } },
    '1.2.3',
  );
  const read = (
    encoding === 'protobuf'
      ? strictlyDecoded(metricsRequest, payload)
      : strictlyReadJson(metricsRequest, payload.toString())
  ) as { resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[] };
  const metrics = read.resourceMetrics[0]!.scopeMetrics[0]!.metrics;
  const named = (name: string) => metrics.find((metric) => metric.name === name)!;

  it('are what the official schema knows, each under one name', () => {
    expect(new Set(metrics.map(({ name }) => name)).size).toBe(metrics.length);
    expect(metrics.some(({ name }) => name.endsWith('_total'))).toBe(false);
  });

  it('hold sums and distributions from the start of the gateway on', () => {
    const { sum } = named('litellm_spend_metric');
    expect(sum).toMatchObject({ isMonotonic: true });
    expect(Number(sum!.dataPoints[0]!.asDouble)).toBeCloseTo(0.75);
    expect(sum!.dataPoints[0]!.startTimeUnixNano).toBe('1700000000000000000');
    expect(sum!.dataPoints[0]!.timeUnixNano).toBe('1700000060000000000');
    const [latency] = named('litellm_request_total_latency_metric').histogram!.dataPoints;
    expect(latency!.count).toBe('3');
    const buckets = latency!.bucketCounts!.map(Number);
    expect(buckets).toHaveLength(latency!.explicitBounds!.length + 1);
    expect(buckets.reduce((all, one) => all + one, 0)).toBe(3);
    expect(buckets.at(-1)).toBe(1);
    // No label without a value.
    expect(latency!.attributes.every(({ value }) => value.stringValue !== '')).toBe(true);
  });

  it('hold the ones of the semantic conventions', () => {
    expect(named('gen_ai.client.operation.duration')).toMatchObject({ unit: 's' });
    const { dataPoints } = named('gen_ai.client.token.usage').histogram!;
    const byType = Object.fromEntries(
      dataPoints.map((point) => [
        point.attributes.find(({ key }) => key === 'gen_ai.token.type')!.value.stringValue,
        point.sum,
      ]),
    );
    expect(byType).toEqual({ input: 90, output: 15 });
  });
});

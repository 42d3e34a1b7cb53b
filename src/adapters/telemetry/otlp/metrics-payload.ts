import type { MetricsExportSetting } from '../../../core/sink-settings.ts';
import { type Counted, type Distribution, type Family, Histogram } from '../registry.ts';
import { nanoseconds, ProtobufWriter } from './protobuf-writer.ts';
import { type Attributes, attributesJson, resourceBytes, scopeBytes, writeAttributes } from './span.ts';

/* Metrics of OpenTelemetry's protocol 1.x, cumulative, in protobuf and in JSON.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto */

const cumulative = 2;
const scopeName = 'tollgate';

export interface MetricsMoment {
  /** Unix milliseconds: since when everything is counted, and now. */
  readonly startedAt: number;
  readonly at: number;
}

/** Everything that counted something, as one message. */
export function metricsPayload(
  families: readonly Family<unknown>[],
  moment: MetricsMoment,
  { encoding, resource }: Pick<MetricsExportSetting, 'encoding' | 'resource'>,
  version: string,
): Buffer {
  const counted = families.filter((family) => !family.touched().next().done);
  return encoding === 'protobuf'
    ? inProtobuf(counted, moment, resource, version)
    : Buffer.from(JSON.stringify(inJson(counted, moment, resource, version)));
}

/** Without the suffix that only the text format has. */
function nameOf(family: Family<unknown>): string {
  return family.name.replace(/_total$/, '');
}

function attributesOf(family: Family<unknown>, labels: readonly string[]): Attributes {
  return family.labelNames.flatMap((name, index) => (labels[index] === '' ? [] : [name, labels[index]!]));
}

/** Series count into the bucket that holds them; what is over the last bound is the rest. */
function bucketCounts({ counts, count }: Distribution): number[] {
  const within = [...counts];
  return [...within, count - within.reduce((sum, one) => sum + one, 0)];
}

function inProtobuf(
  families: readonly Family<unknown>[],
  moment: MetricsMoment,
  resource: Readonly<Record<string, string>>,
  version: string,
): Buffer {
  const writer = new ProtobufWriter();
  for (const family of families) writeFamily(writer, family, moment);
  const metrics = writer.take();
  const scope = scopeBytes(scopeName, version);
  const resourcePart = resourceBytes(resource);
  writer.reset();
  const outer = writer.open(1);
  writer.raw(resourcePart);
  const inner = writer.open(2);
  writer.raw(scope);
  writer.raw(metrics);
  writer.close(inner);
  writer.close(outer);
  return writer.take();
}

function writeFamily(writer: ProtobufWriter, family: Family<unknown>, moment: MetricsMoment): void {
  const metric = writer.open(2);
  writer.string(1, nameOf(family));
  writer.string(2, family.help);
  if (family.unit !== '') writer.string(3, family.unit);
  const kind = writer.open(family.type === 'gauge' ? 5 : family.type === 'counter' ? 7 : 9);
  for (const { labels, series } of family.touched()) {
    const point = writer.open(1);
    writer.nanoseconds(2, moment.startedAt);
    writer.nanoseconds(3, moment.at);
    if (family instanceof Histogram) {
      const distribution = series as Distribution;
      writer.fixed64(4, distribution.count);
      writer.double(5, distribution.sum);
      writer.packedFixed64(6, bucketCounts(distribution));
      writer.packedDouble(7, family.bounds);
      writeAttributes(writer, 9, attributesOf(family, labels));
    } else {
      writer.double(4, (series as Counted).value);
      writeAttributes(writer, 7, attributesOf(family, labels));
    }
    writer.close(point);
  }
  if (family.type !== 'gauge') writer.varint(2, cumulative);
  if (family.type === 'counter') writer.varint(3, 1);
  writer.close(kind);
  writer.close(metric);
}

function inJson(
  families: readonly Family<unknown>[],
  { startedAt, at }: MetricsMoment,
  resource: Readonly<Record<string, string>>,
  version: string,
): object {
  const times = { startTimeUnixNano: String(nanoseconds(startedAt)), timeUnixNano: String(nanoseconds(at)) };
  const metrics = families.map((family) => {
    const dataPoints = [...family.touched()].map(({ labels, series }) => {
      const attributes = attributesJson(attributesOf(family, labels));
      if (!(family instanceof Histogram)) return { ...times, attributes, asDouble: (series as Counted).value };
      const distribution = series as Distribution;
      return {
        ...times,
        attributes,
        count: String(distribution.count),
        sum: distribution.sum,
        bucketCounts: bucketCounts(distribution).map(String),
        explicitBounds: [...family.bounds],
      };
    });
    const head = { name: nameOf(family), description: family.help, ...(family.unit !== '' && { unit: family.unit }) };
    if (family.type === 'gauge') return { ...head, gauge: { dataPoints } };
    if (family.type === 'counter') {
      return { ...head, sum: { dataPoints, aggregationTemporality: cumulative, isMonotonic: true } };
    }
    return { ...head, histogram: { dataPoints, aggregationTemporality: cumulative } };
  });
  const attributes = attributesJson(Object.entries(resource).flat());
  return {
    resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ scope: { name: scopeName, version }, metrics }] }],
  };
}

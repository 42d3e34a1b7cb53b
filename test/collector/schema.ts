import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/* The official schema of OpenTelemetry's protocol, compiled by its own project. */
const require = createRequire(import.meta.url);
const packageMain = require.resolve('@opentelemetry/otlp-transformer');

interface MessageType {
  decode(bytes: Uint8Array): object;
  encode(message: object): { finish(): Uint8Array };
  fromObject(value: object): object;
  verify(value: object): string | null;
  toObject(message: object, options: object): unknown;
}

const { opentelemetry } = require(join(dirname(packageMain), 'generated/root.js')) as {
  opentelemetry: {
    proto: {
      collector: {
        trace: { v1: { ExportTraceServiceRequest: MessageType; ExportTraceServiceResponse: MessageType } };
        metrics: { v1: { ExportMetricsServiceRequest: MessageType } };
      };
    };
  };
};

export const traceRequest = opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
export const traceResponse = opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
export const metricsRequest = opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest;

/** Reads a message and throws unless every byte of it is what the schema's own encoder would write. */
export function strictlyDecoded(type: MessageType, bytes: Buffer): unknown {
  const message = type.decode(bytes);
  const again = Buffer.from(type.encode(message).finish());
  if (!again.equals(bytes))
    throw new Error('the message holds what the schema does not know, or is not written canonically');
  return type.toObject(message, { longs: String, bytes: String });
}

/** The JSON mapping: ids in hex, 64-bit numbers as text; throws for members the schema does not know. */
export function strictlyReadJson(type: MessageType, text: string): unknown {
  const value = JSON.parse(text) as object;
  const withBytes = JSON.parse(text, (name, member: unknown) =>
    /^(traceId|spanId|parentSpanId)$/.test(name) && typeof member === 'string'
      ? Buffer.from(member, 'hex').toString('base64')
      : member,
  ) as object;
  const message = type.fromObject(withBytes);
  const told = JSON.parse(JSON.stringify(type.toObject(message, { longs: String, bytes: String }))) as unknown;
  const known = JSON.parse(JSON.stringify(withBytes)) as unknown;
  if (JSON.stringify(sorted(told)) !== JSON.stringify(sorted(known))) {
    throw new Error('the JSON holds members the schema does not know');
  }
  return value;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([name, member]) => [name, sorted(member)]),
  );
}

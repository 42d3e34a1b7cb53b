import { nanoseconds, ProtobufWriter } from './protobuf-writer.ts';

/* Spans of OpenTelemetry's trace protocol 1.x, in protobuf and in JSON.
 * https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto */

export const spanKinds = { internal: 1, server: 2, client: 3 } as const;

/** A number that is a measure, not a count: always told as a double. */
export class Measure {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

export type AttributeValue = string | number | boolean | Measure | readonly string[];

/** Flat list name, value … */
export type Attributes = (string | AttributeValue)[];

/** What many spans say alike; its bytes are kept once they were written. */
export class SharedAttributes {
  readonly list: Attributes;
  bytes: Buffer | null = null;

  constructor(list: Attributes) {
    this.list = list;
  }
}

export interface Span {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly traceState: string | null;
  readonly name: string;
  readonly kind: (typeof spanKinds)[keyof typeof spanKinds];
  /** Unix milliseconds with a fraction. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly shared: SharedAttributes;
  /** Of this span alone. */
  readonly attributes: Attributes;
  readonly isError: boolean;
  readonly errorMessage: string | null;
  readonly sampled: boolean;
}

const statusError = 2;

/** The span as a field of `ScopeSpans`. */
export function writeSpan(writer: ProtobufWriter, span: Span): void {
  const start = writer.open(2);
  writer.hex(1, span.traceId);
  writer.hex(2, span.spanId);
  if (span.traceState !== null) writer.string(3, span.traceState);
  if (span.parentSpanId !== null) writer.hex(4, span.parentSpanId);
  writer.string(5, span.name);
  writer.varint(6, span.kind);
  writer.nanoseconds(7, span.startedAt);
  writer.nanoseconds(8, Math.max(span.startedAt, span.endedAt));
  writeShared(writer, span.shared);
  writeAttributes(writer, attributeField, span.attributes);
  if (span.isError) {
    const status = writer.open(15);
    if (span.errorMessage !== null) writer.string(2, span.errorMessage);
    writer.varint(3, statusError);
    writer.close(status);
  }
  writer.fixed32(16, span.sampled ? 1 : 0);
  writer.close(start);
}

const attributeField = 9;

function writeShared(writer: ProtobufWriter, shared: SharedAttributes): void {
  if (shared.bytes === null) {
    const start = writer.length;
    writeAttributes(writer, attributeField, shared.list);
    shared.bytes = writer.since(start);
  } else writer.raw(shared.bytes);
}

export function writeAttributes(writer: ProtobufWriter, field: number, attributes: Attributes): void {
  for (let index = 0; index < attributes.length; index += 2) {
    writeAttribute(writer, field, attributes[index] as string, attributes[index + 1] as AttributeValue);
  }
}

function writeAttribute(writer: ProtobufWriter, field: number, name: string, value: AttributeValue): void {
  if (value instanceof Measure) {
    writer.doublePair(field, nameField(name), value.value);
    return;
  }
  if (typeof value === 'number' && value >= 0 && Number.isInteger(value)) {
    writer.countPair(field, nameField(name), value);
    return;
  }
  const pair = writer.open(field);
  writer.raw(nameField(name));
  writeValue(writer, 2, value);
  writer.close(pair);
}

const nameFields = new Map<string, Buffer>();
const namesMax = 500;

/** The field of a pair that holds its name: names come again and again. */
function nameField(name: string): Buffer {
  let field = nameFields.get(name);
  if (field === undefined) {
    const writer = new ProtobufWriter();
    writer.string(1, name);
    field = writer.take();
    if (nameFields.size < namesMax) nameFields.set(name, field);
  }
  return field;
}

function writeValue(writer: ProtobufWriter, field: number, value: AttributeValue): void {
  const start = writer.open(field);
  if (typeof value === 'string') writer.string(1, value);
  else if (typeof value === 'boolean') writer.varint(2, value ? 1 : 0);
  else if (typeof value === 'number') {
    if (Number.isInteger(value)) writer.int64(3, value);
    else writer.double(4, value);
  } else if (value instanceof Measure) writer.double(4, value.value);
  else {
    const list = writer.open(5);
    for (const item of value) writeValue(writer, 1, item);
    writer.close(list);
  }
  writer.close(start);
}

/** The span as JSON, ids in hex and 64-bit numbers as text, as the protocol has it. */
export function spanJson(span: Span): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.traceState !== null && { traceState: span.traceState }),
    ...(span.parentSpanId !== null && { parentSpanId: span.parentSpanId }),
    flags: span.sampled ? 1 : 0,
    name: span.name,
    kind: span.kind,
    startTimeUnixNano: String(nanoseconds(span.startedAt)),
    endTimeUnixNano: String(nanoseconds(Math.max(span.startedAt, span.endedAt))),
    attributes: [...attributesJson(span.shared.list), ...attributesJson(span.attributes)],
    ...(span.isError && {
      status: { code: statusError, ...(span.errorMessage !== null && { message: span.errorMessage }) },
    }),
  };
}

export function attributesJson(attributes: Attributes): object[] {
  const list: object[] = [];
  for (let index = 0; index < attributes.length; index += 2) {
    list.push({ key: attributes[index], value: valueJson(attributes[index + 1] as AttributeValue) });
  }
  return list;
}

function valueJson(value: AttributeValue): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') {
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  }
  if (value instanceof Measure) return { doubleValue: value.value };
  return { arrayValue: { values: value.map(valueJson) } };
}

/** The resource and the scope that every span of this process stands under: what goes in front of a batch. */
export function resourceBytes(resource: Readonly<Record<string, string>>): Buffer {
  const writer = new ProtobufWriter();
  const start = writer.open(1);
  writeAttributes(writer, 1, Object.entries(resource).flat());
  writer.close(start);
  return writer.take();
}

export function scopeBytes(name: string, version: string): Buffer {
  const writer = new ProtobufWriter();
  const start = writer.open(1);
  writer.string(1, name);
  writer.string(2, version);
  writer.close(start);
  return writer.take();
}

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { strictlyDecoded, strictlyReadJson, traceRequest, traceResponse } from './schema.ts';

export interface CollectedSpan {
  /** Hex. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: number;
  readonly startNanoseconds: bigint;
  readonly endNanoseconds: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface Collected {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What the collector does with the next call. */
export type Mood =
  | { readonly kind: 'well' }
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'silent' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'partly'; readonly rejected: number };

export interface Collector {
  readonly url: string;
  readonly port: number;
  /** Calls that were answered well. */
  readonly calls: Collected[];
  readonly spans: CollectedSpan[];
  /** Calls whatever became of them. */
  asked: number;
  mood: (call: number) => Mood;
  close(): Promise<void>;
}

const well: Mood = { kind: 'well' };

/** A receiver over real sockets that reads strictly, by the official schema, and can be as troublesome as any. */
export async function startCollector(port = 0): Promise<Collector> {
  const calls: Collected[] = [];
  const spans: CollectedSpan[] = [];
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks);
    const mood = collector.mood(collector.asked++);
    if (mood.kind === 'silent') return;
    if (mood.kind === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (mood.kind === 'status') {
      response.writeHead(mood.status, mood.headers).end('no');
      return;
    }
    if (mood.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, mood.ms));
    const path = request.url ?? '';
    const isProtobuf = request.headers['content-type'] === 'application/x-protobuf';
    try {
      if (path.endsWith('/v1/traces')) {
        spans.push(...(isProtobuf ? spansInProtobuf(body) : spansInJson(body)));
      }
    } catch (cause) {
      response.writeHead(400).end(String(cause));
      return;
    }
    calls.push({ path, headers: request.headers, body });
    if (mood.kind === 'partly') {
      const told = traceResponse.encode(
        traceResponse.fromObject({ partialSuccess: { rejectedSpans: mood.rejected, errorMessage: 'some' } }),
      );
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(told.finish());
      return;
    }
    response.writeHead(200, { 'content-type': isProtobuf ? 'application/x-protobuf' : 'application/json' });
    response.end(isProtobuf ? undefined : '{}');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  const collector: Collector = {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    calls,
    spans,
    asked: 0,
    mood: () => well,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return collector;
}

interface WireValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: string;
  doubleValue?: number;
  arrayValue?: { values?: WireValue[] };
}
interface WireAttribute {
  key: string;
  value: WireValue;
}
interface WireRequest {
  resourceSpans: {
    resource: { attributes: WireAttribute[] };
    scopeSpans: {
      spans: {
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        name: string;
        kind: number;
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        attributes?: WireAttribute[];
        status?: { code?: number };
      }[];
    }[];
  }[];
}

function spansInProtobuf(body: Buffer): CollectedSpan[] {
  const hex = (base64: string) => Buffer.from(base64, 'base64').toString('hex');
  return spansIn(strictlyDecoded(traceRequest, body) as WireRequest, hex);
}

function spansInJson(body: Buffer): CollectedSpan[] {
  return spansIn(strictlyReadJson(traceRequest, body.toString()) as WireRequest, (hex) => hex);
}

function spansIn({ resourceSpans }: WireRequest, id: (written: string) => string): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: id(span.traceId),
        spanId: id(span.spanId),
        parentSpanId: span.parentSpanId === undefined ? null : id(span.parentSpanId),
        name: span.name,
        kind: span.kind,
        startNanoseconds: BigInt(span.startTimeUnixNano),
        endNanoseconds: BigInt(span.endTimeUnixNano),
        attributes: attributesIn(span.attributes ?? []),
        isError: span.status?.code === 2,
        resource: attributesIn(resource.attributes),
      })),
    ),
  );
}

export function attributesIn(list: readonly WireAttribute[]): Record<string, unknown> {
  const names = list.map(({ key }) => key);
  if (new Set(names).size !== names.length) throw new Error(`an attribute stands there twice: ${names.join(' ')}`);
  return Object.fromEntries(list.map(({ key, value }) => [key, valueIn(value)]));
}

function valueIn(value: WireValue): unknown {
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.doubleValue !== undefined) return value.doubleValue;
  return (value.arrayValue?.values ?? []).map(valueIn);
}

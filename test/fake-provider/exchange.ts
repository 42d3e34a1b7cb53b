import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { awsEventStreamType, awsException } from '../../src/core/aws-event-stream.ts';
import { tokensOf } from './answer.ts';
import { Delivery, DeliveryEnded } from './delivery.ts';
import { type Frame, renderFrame } from './frame.ts';
import { PiecewiseGzip } from './gzip.ts';
import { type Invoice, type InvoiceEntry, nothingUsed, referenceIn } from './invoice.ts';
import { isRecord } from './json.ts';
import type { KeptResponses } from './kept-responses.ts';
import { type Composed, errorBody, type FakeOperation } from './operations.ts';
import { nowMs, type RecordedRequest } from './record.ts';
import type { FakeUsage, Script, ScriptedError } from './script.ts';
import { piecesOf } from './text.ts';

/** Everything one answer needs to be sent. */
export interface Exchange {
  readonly operation: FakeOperation;
  readonly request: RecordedRequest;
  readonly response: ServerResponse;
  readonly callerLeft: AbortSignal;
  readonly script: Script;
  readonly model: string;
  readonly serial: string;
  readonly invoice: Invoice;
  readonly keptResponses: KeptResponses;
}

/** Composes the answer, sends it as the script says and writes the bill, however it ends. */
export async function answer(exchange: Exchange): Promise<void> {
  const { operation, request, script, serial } = exchange;
  const body: Record<string, unknown> = isRecord(request.json) ? { model: exchange.model, ...request.json } : {};
  const composed = operation.compose({ body, bodyBytes: request.body.length, serial }, script);
  const reference = referenceIn(request.body.toString());
  const entry = exchange.invoice.dispatched({
    id: composed.id,
    ...(reference === undefined ? {} : { reference }),
    path: request.path,
    model: exchange.model,
    dispatchedAtMs: request.receivedAtMs,
  });
  const delivery = new Delivery(exchange.response, request, script, exchange.callerLeft);
  const produced = { tokens: 0 };
  try {
    if (script.status !== undefined && script.status >= 400) {
      await sendWhole(exchange, delivery, script.status, errorBody(operation.family, script.status, script.error));
      exchange.invoice.billed(entry, 'refused', script.status, nothingUsed);
      return;
    }
    if (operation.suffix === '/responses') exchange.keptResponses.keep(body, composed.json());
    const isStream =
      composed.frames !== undefined &&
      (operation.isStream ?? (operation.streamsByDefault ? body.stream !== false : body.stream === true));
    if (isStream) await sendStream(exchange, delivery, composed, produced);
    else if (script.endless) await sendEndlessJson(exchange, delivery, produced);
    else await sendWhole(exchange, delivery, script.status ?? 200, composed.json());
    if (isStream && script.errorAtEvent !== undefined) {
      billUnfinished(exchange, entry, 'fault', composed.usage, produced.tokens);
    } else exchange.invoice.billed(entry, 'complete', script.status ?? 200, composed.usage);
  } catch (error) {
    if (!(error instanceof DeliveryEnded)) throw error;
    if (error.reason === 'caller-left') request.abortedAtMs = nowMs();
    billUnfinished(exchange, entry, error.reason, composed.usage, produced.tokens);
  }
}

/** A refusal that no script asked for: wrong key, missing field, unknown path. Leaves no line on the invoice. */
export async function refuse(
  exchange: Pick<Exchange, 'operation' | 'request' | 'response' | 'callerLeft'>,
  status: number,
  error: ScriptedError,
): Promise<void> {
  const delivery = new Delivery(exchange.response, exchange.request, {}, exchange.callerLeft);
  const text = JSON.stringify(errorBody(exchange.operation.family, status, error));
  await delivery.open(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  await delivery.write(Buffer.from(text));
  await delivery.end();
}

function billUnfinished(
  exchange: Exchange,
  entry: InvoiceEntry,
  outcome: 'fault' | 'caller-left',
  full: FakeUsage,
  producedTokens: number,
): void {
  const { script, request } = exchange;
  const policy = script.billUnfinished ?? 'produced';
  const hasStarted = request.headersSentAtMs !== undefined;
  const produced = hasStarted
    ? { ...full, outputTokens: producedTokens, reasoningTokens: Math.min(full.reasoningTokens, producedTokens) }
    : nothingUsed;
  const usage = policy === 'full' ? full : policy === 'nothing' ? nothingUsed : produced;
  exchange.invoice.billed(entry, outcome, request.status ?? 0, usage);
}

async function sendWhole(exchange: Exchange, delivery: Delivery, status: number, answer: unknown): Promise<void> {
  const { script } = exchange;
  const plain = rawBody(script) ?? Buffer.from(JSON.stringify(answer));
  const bytes = script.gzip ? gzipSync(plain) : plain;
  await delivery.open(status, {
    ...headersOf(exchange, script.contentType ?? 'application/json'),
    ...(script.framing === undefined || script.framing === 'length' || script.contentLength !== undefined
      ? { 'content-length': script.contentLength ?? bytes.length }
      : {}),
  });
  await delivery.beforeEvent(0);
  await delivery.write(bytes);
  await delivery.end();
}

async function sendStream(
  exchange: Exchange,
  delivery: Delivery,
  composed: Composed,
  produced: { tokens: number },
): Promise<void> {
  const { script, request, operation } = exchange;
  await delivery.open(script.status ?? 200, {
    ...headersOf(
      exchange,
      script.contentType ??
        operation.streamType ??
        (operation.render === undefined ? 'text/event-stream; charset=utf-8' : awsEventStreamType),
    ),
    'cache-control': 'no-cache',
    ...(script.contentLength === undefined ? {} : { 'content-length': script.contentLength }),
  });
  const gzip = script.gzip ? new PiecewiseGzip() : undefined;
  const send = async (text: string | Uint8Array): Promise<void> => {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    await delivery.write(gzip === undefined ? bytes : await gzip.write(bytes));
  };
  const raw = rawBody(script);
  if (raw !== undefined) {
    await delivery.beforeEvent(0);
    await send(raw);
  } else {
    const writes = joinedFrames(exchange, composed.frames!(), produced);
    for await (const text of paced(delivery, writes, request)) await send(text);
  }
  if (gzip !== undefined) await delivery.write(await gzip.end());
  await delivery.end();
}

/** One entry per write: the events in it, rendered. */
function* joinedFrames(
  exchange: Exchange,
  frames: Iterable<Frame>,
  produced: { tokens: number },
): Generator<{ text: string | Buffer; events: number }> {
  const { script, operation } = exchange;
  if (operation.render !== undefined) {
    yield* binaryFrames(exchange, operation.render, frames, produced);
    return;
  }
  const eventsPerWrite = script.eventsPerWrite ?? 1;
  let text = script.sse?.byteOrderMark ? '\ufeff' : '';
  let events = 0;
  let index = 0;
  for (const frame of frames) {
    if (script.errorAtEvent === index) {
      yield { text: text + renderFrame(errorFrame(operation, script), script.sse), events: events + 1 };
      return;
    }
    produced.tokens += frame.tokens;
    text += renderFrame(frame, script.sse, frame.kind === 'done');
    events += 1;
    index += 1;
    if (events >= eventsPerWrite) {
      yield { text, events };
      text = '';
      events = 0;
    }
  }
  if (events > 0) yield { text, events };
}

function* binaryFrames(
  { script, operation }: Exchange,
  render: (frame: Frame) => Buffer,
  frames: Iterable<Frame>,
  produced: { tokens: number },
): Generator<{ text: Buffer; events: number }> {
  let index = 0;
  for (const frame of frames) {
    if (script.errorAtEvent === index) {
      const text =
        operation.family === 'ollama'
          ? render(errorFrame(operation, script))
          : awsException('throttlingException', script.error?.message ?? 'Too many requests.');
      yield { text, events: 1 };
      return;
    }
    produced.tokens += frame.tokens;
    yield { text: render(frame), events: 1 };
    index += 1;
  }
}

async function* paced(
  delivery: Delivery,
  writes: Iterable<{ text: string | Buffer; events: number }>,
  request: RecordedRequest,
): AsyncGenerator<string | Buffer> {
  // Faults stand before an event, so also before the one that would follow the last.
  await delivery.beforeEvent(0);
  for (const { text, events } of writes) {
    yield text;
    for (let sent = 0; sent < events; sent += 1) {
      request.eventsSent += 1;
      await delivery.beforeEvent(request.eventsSent);
    }
  }
}

function errorFrame(operation: FakeOperation, script: Script): Frame {
  const error = script.error ?? {
    message: 'Overloaded',
    type: operation.family === 'anthropic' ? 'overloaded_error' : 'server_error',
  };
  const body = errorBody(operation.family, 500, error);
  return {
    ...(operation.family === 'anthropic' ? { event: 'error' } : {}),
    data: JSON.stringify(body),
    kind: 'error',
    tokens: 0,
  };
}

async function sendEndlessJson(exchange: Exchange, delivery: Delivery, produced: { tokens: number }): Promise<void> {
  await delivery.open(200, headersOf(exchange, 'application/json'));
  await delivery.beforeEvent(0);
  await delivery.write(Buffer.from('{"choices":[{"index":0,"message":{"role":"assistant","content":"'));
  const pieces = piecesOf('and so on and on '.repeat(64));
  const bytes = Buffer.from(pieces.map((piece) => piece.text).join(''));
  while (true) {
    await delivery.write(bytes);
    produced.tokens += tokensOf(pieces);
  }
}

function headersOf(exchange: Exchange, contentType: string): Record<string, string | number> {
  const { operation, script, serial } = exchange;
  return {
    'content-type': contentType,
    [operation.family === 'anthropic' ? 'request-id' : 'x-request-id']: `req_${serial}`,
    ...(script.gzip ? { 'content-encoding': 'gzip' } : {}),
    ...script.headers,
  };
}

function rawBody(script: Script): Buffer | undefined {
  if (script.bodyBase64 !== undefined) return Buffer.from(script.bodyBase64, 'base64');
  return script.body === undefined ? undefined : Buffer.from(script.body);
}

import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../core/errors.ts';
import type { Admitted, ByteSink } from '../../core/exchange.ts';
import { LastingStream } from './lasting-stream.ts';
import type { StreamEnd, StreamedAnswer } from './streamed-answer.ts';

/** One provider's stream, which breaks, is cut and is cancelled as the real one is. */
class FakeStream {
  handOver: ((error: GatewayError) => boolean) | null = null;
  handedOver = false;
  started = false;
  #onOver: ((end: StreamEnd) => void) | null = null;
  #end: StreamEnd | null = null;

  takenBy(onOver: (end: StreamEnd) => void): void {
    this.#onOver = onOver;
    if (this.#end !== null) onOver(this.#end);
  }
  start(): void {
    this.started = true;
  }
  break(error: GatewayError): void {
    if (this.handOver?.(error)) this.handedOver = true;
    this.finish({ kind: 'failure', error });
  }
  interrupt(error: GatewayError): void {
    this.break(error);
  }
  cancel(): void {
    this.finish({ kind: 'aborted', error: null });
  }
  finish(end: StreamEnd): void {
    if (this.#end !== null) return;
    this.#end = end;
    this.#onOver?.(end);
  }
}

const broke = new GatewayError('upstream_connection', 'it broke');

function handedOver() {
  const written: string[] = [];
  const sink: ByteSink = {
    write: (chunk) => written.push(Buffer.from(chunk).toString()) > 0,
    end: () => void written.push('end'),
    destroy: () => undefined,
  };
  const client = { gone: false };
  const dialect = { errors: { streamEvent: ({ message }: GatewayError) => Buffer.from(`error: ${message}`) } };
  const successor = Promise.withResolvers<StreamedAnswer | null>();
  const first = new FakeStream();
  const next = new FakeStream();
  const ends: [FakeStream, StreamEnd][] = [];
  const stream = new LastingStream(
    { id: 'r', client, dialect } as unknown as Admitted,
    first as unknown as StreamedAnswer,
    { canGoOn: () => true, goOn: () => successor.promise },
    (last, end) => ends.push([last as unknown as FakeStream, end]),
  );
  stream.start(sink);
  first.break(broke);
  return {
    stream,
    client,
    first,
    next,
    ends,
    written,
    arrives: async (found: FakeStream | null) => {
      successor.resolve(found as unknown as StreamedAnswer | null);
      await successor.promise;
      await Promise.resolve();
    },
  };
}

describe('a stream that is handed over', () => {
  test('ends with its successor, once', async () => {
    const { arrives, next, ends } = handedOver();
    await arrives(next);
    expect(next.started).toBe(true);
    next.finish({ kind: 'success', error: null });
    expect(ends).toEqual([[next, { kind: 'success', error: null }]]);
  });

  test('counts the successor that had committed when the client left', async () => {
    const { arrives, stream, client, next, ends } = handedOver();
    client.gone = true;
    stream.cancel();
    expect(ends, 'while it is looked for, nobody knows what it cost').toEqual([]);
    await arrives(next);
    expect(ends).toEqual([[next, { kind: 'aborted', error: null }]]);
    expect(next.started).toBe(false);
  });

  test('counts a successor that was through before the client left', async () => {
    const { arrives, stream, next, ends } = handedOver();
    stream.cancel();
    next.finish({ kind: 'success', error: null });
    await arrives(next);
    expect(ends).toEqual([[next, { kind: 'success', error: null }]]);
  });

  test('ends with what broke when the client left and nobody was found', async () => {
    const { arrives, stream, first, ends } = handedOver();
    stream.cancel();
    await arrives(null);
    expect(ends).toEqual([[first, { kind: 'aborted', error: null }]]);
  });

  test('counts the successor that an interruption meets', async () => {
    const { arrives, stream, next, ends } = handedOver();
    const stops = new GatewayError('shutting_down', 'it stops');
    stream.interrupt(stops);
    await arrives(next);
    expect(next.started, 'its first words, then the error').toBe(true);
    expect(ends).toEqual([[next, { kind: 'failure', error: stops }]]);
  });

  test('tells the interruption where nobody was found', async () => {
    const { arrives, stream, first, ends, written } = handedOver();
    const stops = new GatewayError('shutting_down', 'it stops');
    stream.interrupt(stops);
    await arrives(null);
    expect(written).toEqual(['error: it stops', 'end']);
    expect(ends).toEqual([[first, { kind: 'failure', error: stops }]]);
  });
});

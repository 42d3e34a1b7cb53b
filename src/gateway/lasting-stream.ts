import type { GatewayError } from '../core/errors.ts';
import type { Admitted, ByteSink, ByteSource } from '../core/exchange.ts';
import type { StreamEnd, StreamedAnswer } from './streamed-answer.ts';

export interface Successors {
  /** Is there anybody who could go on with it? */
  canGoOn(broken: StreamedAnswer, error: GatewayError): boolean;
  /** Who does; null when nobody. */
  goOn(broken: StreamedAnswer, error: GatewayError): Promise<StreamedAnswer | null>;
}

/**
 * A stream that outlives the provider it began at: what breaks after the first content goes on with another provider's
 * words, in the same answer. When nobody can, it ends as any broken stream does, with an error event.
 */
export class LastingStream implements ByteSource {
  readonly #exchange: Admitted;
  readonly #successors: Successors;
  readonly #onOver: (last: StreamedAnswer, end: StreamEnd) => void;
  #current: StreamedAnswer;
  #sink: ByteSink | null = null;
  #over = false;
  #interruption: GatewayError | null = null;

  constructor(
    exchange: Admitted,
    first: StreamedAnswer,
    successors: Successors,
    onOver: (last: StreamedAnswer, end: StreamEnd) => void,
  ) {
    this.#exchange = exchange;
    this.#successors = successors;
    this.#onOver = onOver;
    this.#current = first;
    this.#take(first);
  }

  start(sink: ByteSink): void {
    this.#sink = sink;
    this.#current.start(sink);
  }

  resume(): void {
    this.#current.resume();
  }

  cancel(): void {
    if (this.#over) return;
    this.#current.cancel();
    this.#end(this.#current, { kind: 'aborted', error: null });
  }

  interrupt(error: GatewayError): void {
    this.#interruption = error;
    this.#current.interrupt(error);
  }

  #take(stream: StreamedAnswer): void {
    stream.handOver = (error) => {
      if (this.#sink === null || this.#interruption !== null || this.#over) return false;
      if (!this.#successors.canGoOn(stream, error)) return false;
      void this.#continue(stream, error);
      return true;
    };
    stream.takenBy((end) => {
      // A stream that was handed over has ended for its provider, not for the client.
      if (!stream.handedOver) this.#end(stream, end);
    });
  }

  async #continue(broken: StreamedAnswer, error: GatewayError): Promise<void> {
    const next = await this.#successors.goOn(broken, error).catch(() => null);
    const sink = this.#sink as ByteSink;
    if (this.#over || this.#exchange.client.gone) {
      next?.cancel();
      this.#end(broken, { kind: 'aborted', error: null });
      return;
    }
    const fault = this.#interruption ?? (next === null ? error : null);
    if (fault !== null || next === null) {
      next?.cancel();
      const told = fault ?? error;
      sink.write(this.#exchange.dialect.errors.streamEvent(told, this.#exchange.id));
      sink.end();
      this.#end(broken, { kind: 'failure', error: told });
      return;
    }
    this.#current = next;
    this.#take(next);
    next.start(sink);
  }

  #end(last: StreamedAnswer, end: StreamEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#onOver(last, end);
  }
}

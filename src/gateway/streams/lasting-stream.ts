import type { GatewayError } from '../../core/errors.ts';
import type { Admitted, ByteSink, ByteSource } from '../../core/exchange.ts';
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
  #left = false;
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
    this.#left = true;
    // A successor may have begun to answer at this very moment: what it cost is known when it is here.
    if (this.#current.handedOver) return;
    this.#current.cancel();
    this.#end(this.#current, { kind: 'aborted', error: null });
  }

  interrupt(error: GatewayError): void {
    this.#interruption = error;
    this.#current.interrupt(error);
  }

  #take(stream: StreamedAnswer): void {
    stream.handOver = (error) => {
      if (this.#sink === null || this.#interruption !== null || this.#left) return false;
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
    const left = this.#left || this.#exchange.client.gone;
    if (next === null) {
      this.#giveUp(broken, left, this.#interruption ?? error);
      return;
    }
    this.#current = next;
    this.#take(next);
    if (left) {
      next.cancel();
      return;
    }
    next.start(this.#sink as ByteSink);
    if (this.#interruption !== null) next.interrupt(this.#interruption);
  }

  #giveUp(broken: StreamedAnswer, left: boolean, error: GatewayError): void {
    if (!left) {
      const sink = this.#sink as ByteSink;
      sink.write(this.#exchange.dialect.errors.streamEvent(error, this.#exchange.id));
      sink.end();
    }
    this.#end(broken, left ? { kind: 'aborted', error: null } : { kind: 'failure', error });
  }

  #end(last: StreamedAnswer, end: StreamEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#onOver(last, end);
  }
}

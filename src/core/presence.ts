import type { ClientPresence } from './exchange.ts';

/** Somebody who waits for an answer, until told that they left. */
export class Presence implements ClientPresence {
  gone = false;
  #listener: (() => void) | null = null;

  onGone(listener: (() => void) | null): void {
    if (listener !== null && this.gone) listener();
    else this.#listener = listener;
  }

  leave(): void {
    this.gone = true;
    const listener = this.#listener;
    this.#listener = null;
    listener?.();
  }
}

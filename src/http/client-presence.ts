import type { ServerResponse } from 'node:http';
import type { ClientPresence } from '../core/exchange.ts';

const presences = new WeakMap<ServerResponse, ResponsePresence>();

/** Whether the client of a response is still there: it is gone when the connection closes before the answer is out. */
export function clientPresence(response: ServerResponse): ClientPresence {
  const presence = new ResponsePresence();
  presences.set(response, presence);
  response.on('close', onClose);
  if (response.destroyed) presence.leave();
  return presence;
}

function onClose(this: ServerResponse): void {
  if (!this.writableFinished) presences.get(this)?.leave();
}

class ResponsePresence implements ClientPresence {
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

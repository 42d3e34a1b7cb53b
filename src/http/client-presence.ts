import type { ServerResponse } from 'node:http';
import type { ByteSource, ClientPresence } from '../core/exchange.ts';
import type { DialectName } from '../core/operation.ts';

/** Clients whose answers are not out yet. */
export class OpenClients {
  readonly #open = new Map<ServerResponse, OpenClient>();
  readonly #onClose: (this: ServerResponse) => void;

  constructor() {
    const open = this.#open;
    this.#onClose = function () {
      const client = open.get(this);
      open.delete(this);
      if (!this.writableFinished) client?.leave();
    };
  }

  enter(response: ServerResponse, dialect: DialectName): OpenClient {
    const client = new OpenClient(dialect);
    if (response.destroyed) {
      client.leave();
      return client;
    }
    this.#open.set(response, client);
    response.on('close', this.#onClose);
    return client;
  }

  all(): [ServerResponse, OpenClient][] {
    return [...this.#open];
  }
}

/** Whether a client is still there: it is gone when the connection closes before the answer is out. */
export class OpenClient implements ClientPresence {
  readonly dialect: DialectName;
  /** The stream on its way to it. */
  stream: ByteSource | null = null;
  gone = false;
  #listener: (() => void) | null = null;

  constructor(dialect: DialectName) {
    this.dialect = dialect;
  }

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

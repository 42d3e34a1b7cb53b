import type { ServerResponse } from 'node:http';
import type { ByteSource, ClientPresence } from '../core/exchange.ts';
import type { DialectName } from '../core/operation.ts';
import { type Listed, Roster } from '../core/roster.ts';

/** Clients whose answers are not out yet. */
export class OpenClients {
  readonly #open = new Roster<OpenClient>();

  enter(response: ServerResponse, dialect: DialectName): OpenClient {
    const client = new OpenClient(response, dialect);
    if (response.destroyed) {
      client.leave();
      return client;
    }
    this.#open.add(client);
    response.on('close', () => {
      this.#open.delete(client);
      if (!response.writableFinished) client.leave();
    });
    return client;
  }

  all(): OpenClient[] {
    return [...this.#open];
  }
}

/** Whether a client is still there: it is gone when the connection closes before the answer is out. */
export class OpenClient implements ClientPresence, Listed {
  place = -1;
  readonly response: ServerResponse;
  readonly dialect: DialectName;
  /** The stream on its way to it. */
  stream: ByteSource | null = null;
  gone = false;
  #listener: (() => void) | null = null;

  constructor(response: ServerResponse, dialect: DialectName) {
    this.response = response;
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

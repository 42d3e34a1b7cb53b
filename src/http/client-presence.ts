import type { ServerResponse } from 'node:http';
import type { ByteSource } from '../core/exchange.ts';
import type { DialectName } from '../core/operation.ts';
import { Presence } from '../core/presence.ts';
import { type Listed, Roster } from '../core/roster.ts';

/** Clients whose answers are not out yet. */
export class OpenClients {
  readonly #open = new Roster<WaitingClient>();

  enter(response: ServerResponse, dialect: DialectName): OpenClient {
    const client = new WaitingClient(response, dialect);
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

  all(): WaitingClient[] {
    return [...this.#open];
  }
}

/** Whether a client is still there: it is gone when the connection closes before the answer is out. */
export class OpenClient extends Presence {
  readonly dialect: DialectName;
  /** The stream on its way to it. */
  stream: ByteSource | null = null;
  constructor(dialect: DialectName) {
    super();
    this.dialect = dialect;
  }
}

/** One whose answer goes out as a response of node:http. */
class WaitingClient extends OpenClient implements Listed {
  readonly response: ServerResponse;
  place = -1;

  constructor(response: ServerResponse, dialect: DialectName) {
    super(dialect);
    this.response = response;
  }
}

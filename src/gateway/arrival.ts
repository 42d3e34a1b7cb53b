import type { CallerHeaders, ClientPresence, Funds, PassThrough } from '../core/exchange.ts';
import type { Upload } from '../core/upload.ts';
import type { ConnectionMemory } from './kept/recall.ts';
import type { MatchedRoute } from './operations.ts';

/** A request as it came through the door, its body complete. */
export interface Arrival {
  /** What the path asks for; see `matchRoute`. */
  readonly matched: MatchedRoute;
  /** Without the query. */
  readonly path: string;
  /** As sent, without its `?`; empty when there is none. */
  readonly query: string;
  readonly headers: CallerHeaders;
  readonly bytes: Buffer;
  /** In place of `bytes`, where the path takes a form. */
  readonly upload?: Upload;
  readonly clientAddress: string | null;
  /** For the holder of this key, which was checked when the work, or the client secret, was asked for. */
  readonly onBehalfOf?: string;
  readonly funds?: Funds;
  readonly passThrough?: PassThrough;
  /** Asked of a `silent_model`: nobody waits for it, and it is not mirrored again. */
  readonly isSilent?: boolean;
  readonly client: ClientPresence;
  /** Monotonic milliseconds when its headers were in. */
  readonly arrivedTick: number;
  /** What the connection remembers of its own answers; absent where every request has one of its own. */
  readonly memory?: ConnectionMemory;
}

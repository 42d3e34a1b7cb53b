import type { RawAnswer } from '../../core/dialect.ts';
import type { CallerHeaders } from '../../core/exchange.ts';
import type { Principal } from '../../core/identity.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Snapshot } from '../../core/route.ts';
import type { Upload } from '../../core/upload.ts';

/** A request of the data plane that asks no model and costs nothing. */
export interface FreeCall {
  readonly id: string;
  readonly principal: Principal;
  readonly snapshot: Snapshot;
  readonly path: string;
  /** What stands in the path where its pattern has a name. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: CallerHeaders;
  readonly body: JsonObject;
  readonly bytes: Buffer;
  /** The form, on a path that takes one. */
  readonly upload?: Upload;
}

export interface FreeAnswer {
  readonly status: number;
  readonly body: JsonObject;
  /** In place of `body`. */
  readonly raw?: RawAnswer;
}

export function answered(body: JsonObject): FreeAnswer {
  return { status: 200, body };
}

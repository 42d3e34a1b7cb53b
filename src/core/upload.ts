import type { BodyEdits } from './dialect.ts';
import type { GatewayError } from './errors.ts';
import type { JsonObject } from './json.ts';

/**
 * A form that is coming in. Its fields are known as far as they have come, its first bytes are kept so that it can be
 * sent again; the rest goes straight to the provider while it comes.
 */
export interface Upload {
  /** Texts by name; a list where a name ends with `[]` (without these) or came more than once. */
  readonly fields: JsonObject;
  /** Files that have begun. */
  readonly files: readonly UploadedFile[];
  readonly isComplete: boolean;
  /** No more bytes than this are in it, seen or not. */
  readonly bytesMax: number;
  /** Bytes went through that were not kept: it cannot be sent again. */
  readonly isSpent: boolean;
  /** Why it ended before its end. */
  readonly failure: GatewayError | null;
  /** Resolves when all of it is here. Rejects with a GatewayError when it is longer than may be kept, or broken. */
  whole(): Promise<void>;
  /** The form for a provider, with edits; `isDropped` tells of fields that have not come yet. */
  send(edits: BodyEdits, isDropped: (field: string) => boolean): WireBody;
}

export interface UploadedFile {
  readonly field: string;
  readonly fileName: string;
  readonly mediaType: string;
  /** Bytes so far. */
  readonly size: number;
  /** What is kept of it; all of it once the upload is complete. */
  bytes(): Buffer;
}

/** A body as it travels to a provider. */
export interface WireBody {
  readonly contentType: string;
  readonly bytes: Uint8Array | AsyncIterable<Uint8Array>;
  /** undefined when it is not known beforehand. */
  readonly length: number | undefined;
  /** Comes behind the path of the call: what a format says in its address. */
  readonly addressTail?: string;
}

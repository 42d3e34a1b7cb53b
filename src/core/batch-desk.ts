import type { JsonObject } from './json.ts';
import type { DialectName } from './operation.ts';

/** How a provider takes many requests at once and answers them later: its own batch API. */
export type BatchDeskName =
  | 'openai-batches'
  | 'mistral-jobs'
  | 'message-batches'
  | 'gemini-batches'
  | 'vertex-jobs'
  | 'bedrock-jobs';

export interface BatchDesk {
  /** Formats of single requests that it takes, with the path it knows each under. */
  readonly paths: Partial<Record<DialectName, string>>;
  /** Hands the requests over; resolves to the provider's own id. Rejects with GatewayError when it does not take them. */
  submit(ask: AskDesk, order: BatchOrder): Promise<string>;
  look(ask: AskDesk, id: string): Promise<BatchState>;
  /** Of what is over: every request that was answered, in any order. */
  results(ask: AskDesk, state: BatchState): AsyncIterable<BatchAnswer>;
  cancel(ask: AskDesk, id: string): Promise<void>;
}

export interface BatchOrder {
  /** One of `paths`. */
  readonly path: string;
  /** Ours, and nobody else's: letters, digits and dashes. */
  readonly name: string;
  /** As the batch API calls it. */
  readonly model: string;
  /** Where its files lie, for those that keep none themselves. */
  readonly store: BatchStore | null;
  /** Bodies as they would be sent alone, in the provider's words. */
  readonly bodies: readonly Buffer[];
}

/** A part of a bucket that the operator named. */
export interface BatchStore {
  /** `s3://bucket/folder/`, `gs://bucket/folder/`. */
  readonly uri: string;
  /** As whom the provider reads and writes there, where it wants to be told. */
  readonly role: string | null;
}

export interface BatchState {
  readonly isOver: boolean;
  /** Why nothing of it was done; null where it was taken. */
  readonly refusal: string | null;
  /** Why requests without an answer may have been worked on, and billed, all the same; not the case where absent. */
  readonly doubt?: string | null;
  /** It came to its end by itself: there is nothing that was not worked on. */
  readonly isWhole?: boolean;
  /** Why its results are not read any more. */
  readonly unread?: string;
  readonly completed: number;
  readonly failed: number;
  /** Where its answers lie, in the desk's own words. */
  readonly resultsAt: readonly string[];
}

export interface BatchAnswer {
  /** Which of the bodies. */
  readonly index: number;
  readonly status: number;
  readonly body: JsonObject;
}

/** One call to the provider: behind its base address, with its credential. Rejects with GatewayError when it says no. */
export type AskDesk = (question: DeskQuestion) => Promise<Buffer>;

export interface DeskQuestion {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Files may lie somewhere else than jobs are asked for; jobs where absent. */
  readonly room?: BatchRoom;
  /** Behind the address of its room; its query is the provider's own business. */
  readonly tail: string;
  readonly headers?: readonly string[];
  readonly body?: Buffer;
  readonly contentType?: string;
  /** It only brings a file there: nothing is bought by it, whatever becomes of it. */
  readonly isUpload?: true;
}

export type BatchRoom = 'jobs' | 'files';

const indexForm = /^r(\d+)$/;

/** The name of a request within its batch, and back: callers' own names may be what a provider does not take. */
export function customIdOf(index: number): string {
  return `r${index}`;
}

export function indexOf(customId: unknown): number | undefined {
  const match = typeof customId === 'string' ? indexForm.exec(customId) : null;
  return match === null ? undefined : Number(match[1]);
}

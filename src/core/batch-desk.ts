import type { JsonObject } from './json.ts';
import type { DialectName } from './operation.ts';

/** How a provider takes many requests at once and answers them later: its own batch API. */
export type BatchDeskName = 'openai-batches' | 'mistral-jobs' | 'message-batches';

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
  readonly model: string;
  /** Bodies as they would be sent alone, in the provider's words. */
  readonly bodies: readonly Buffer[];
}

export interface BatchState {
  readonly isOver: boolean;
  /** Why nothing of it was done; null where it was taken. */
  readonly refusal: string | null;
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
  readonly method: 'GET' | 'POST';
  /** Behind the base address; its query is the provider's own business. */
  readonly tail: string;
  readonly body?: Buffer;
  readonly contentType?: string;
}

const indexForm = /^r(\d+)$/;

/** The name of a request within its batch, and back: callers' own names may be what a provider does not take. */
export function customIdOf(index: number): string {
  return `r${index}`;
}

export function indexOf(customId: unknown): number | undefined {
  const match = typeof customId === 'string' ? indexForm.exec(customId) : null;
  return match === null ? undefined : Number(match[1]);
}

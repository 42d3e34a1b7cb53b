import type { Outcome, Size } from '../chaos/row.ts';

/** A promise about streams and HTTP: it starts what it needs itself, gateways on the embedded store and hostile providers. */
export interface WireRow {
  readonly row: number;
  readonly promise: string;
  readonly target: string;
  readonly kind: 'wire';
  run(size: Size): Promise<Outcome>;
}

export interface Place {
  /** Called in reverse order when the row is over, however it ends. */
  onEnd(close: () => Promise<unknown> | unknown): void;
}

/** Runs a row's body and closes everything it opened. */
export async function inPlace<Result>(body: (place: Place) => Promise<Result>): Promise<Result> {
  const closers: (() => Promise<unknown> | unknown)[] = [];
  try {
    return await body({ onEnd: (close) => closers.push(close) });
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

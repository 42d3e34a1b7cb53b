import type { CallAddress, RequestFacts } from '../../core/dialect.ts';
import type { Arrival } from '../arrival.ts';

const plainAddress: CallAddress = Object.freeze({ model: undefined, stream: undefined, query: '' });

export function addressOf({ matched: { model, stream }, query }: Arrival): CallAddress {
  return model === undefined && stream === undefined && query === '' ? plainAddress : { model, stream, query };
}

/** What the address says goes before what the body says. */
export function addressed(facts: RequestFacts, { model, stream }: CallAddress): RequestFacts {
  if (model === undefined && stream === undefined) return facts;
  return { ...facts, model: model ?? facts.model, stream: stream ?? facts.stream };
}

import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { FreeCall } from './call.ts';

const limitDefault = 20;
const limitMax = 100;

/** A page of a list in OpenAI's shape: `order` (newest first unless asked otherwise), `after`, `limit`. */
export function page(items: readonly JsonObject[], { query }: Pick<FreeCall, 'query'>): JsonObject {
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') throw malformed('order', 'expected asc or desc');
  const limit = limitOf(query.get('limit'));
  const ordered = order === 'asc' ? [...items] : [...items].reverse();
  const after = query.get('after');
  const from = after === null ? 0 : ordered.findIndex(({ id }) => id === after) + 1;
  if (after !== null && from === 0) throw malformed('after', 'there is no item with this id');
  const data = ordered.slice(from, from + limit);
  return {
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: from + limit < ordered.length,
  };
}

function limitOf(text: string | null): number {
  if (text === null) return limitDefault;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= limitMax) return limit;
  throw malformed('limit', `expected a whole number from 1 to ${limitMax}`);
}

export function malformed(param: string, problem: string): GatewayError {
  return new GatewayError('malformed_request', `${param}: ${problem}`, { param });
}

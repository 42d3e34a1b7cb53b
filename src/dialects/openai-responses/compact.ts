import type { Dialect } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { malformed } from '../body-checks.ts';
import { openaiResponses } from './index.ts';

const neverTranslated = (): never => {
  throw new GatewayError('internal', 'what is compacted can only be read by the provider that made it');
};

/**
 * A conversation made shorter: the same items in, fewer out, one of them sealed by its provider. So it stays in this format.
 * https://platform.openai.com/docs/api-reference/responses/compact
 */
export const openaiCompact: Dialect = Object.freeze({
  ...openaiResponses,
  name: 'openai-compact',
  operation: 'compaction',
  inspect: (body, address) => {
    if (body.previous_response_id !== undefined && body.previous_response_id !== null) {
      throw malformed('previous_response_id', 'a conversation to be compacted is sent as input');
    }
    if (body.stream === true) throw malformed('stream', 'a conversation is compacted as a whole');
    return { ...openaiResponses.inspect(body, address), stream: false };
  },
  request: { decode: neverTranslated, encode: neverTranslated },
  continuation: undefined,
} as Dialect);

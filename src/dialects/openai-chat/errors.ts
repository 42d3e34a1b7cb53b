import type { Dialect } from '../../core/dialect.ts';
import type { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { errorFacts } from '../error-facts.ts';

/** `code` is the HTTP status as a string, and what is unknown is the word "None": clients of this format rely on both. */
function encode(error: GatewayError): JsonObject {
  const isAboutMoney = error.code === 'budget_exceeded' || error.code === 'budget_unpriceable';
  return {
    error: {
      message: error.message,
      type: error.type,
      param: error.details.param ?? (isAboutMoney ? null : 'None'),
      code: String(error.status),
      ...(error.details.fields === undefined ? {} : { provider_specific_fields: error.details.fields }),
    },
  };
}

/** Errors of every format in OpenAI's family. */
export const openaiErrors: Dialect['errors'] = {
  encode,
  streamEvent: (error) => Buffer.from(`data: ${JSON.stringify(encode(error))}\n\n`),
  decode: (_status, body) => errorFacts(body),
};

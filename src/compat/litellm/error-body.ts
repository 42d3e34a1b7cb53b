import type { GatewayError } from '../../core/errors.ts';

/** An error as LiteLLM's management calls tell it: the status as text in `code`, `None` for what is not known. */
export function errorBody(error: GatewayError): { error: Record<string, string | null> } {
  return {
    error: {
      message: error.message,
      type: error.type,
      param: error.details.param ?? 'None',
      code: String(error.status),
    },
  };
}

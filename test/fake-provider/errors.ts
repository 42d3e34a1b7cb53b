import type { ScriptedError } from './script.ts';

/** Error bodies of the families. Sources: platform.openai.com/docs/guides/error-codes, docs.anthropic.com/en/api/errors */

const anthropicTypes: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

export function openaiError(status: number, error: ScriptedError = {}): { error: Required<ScriptedError> } {
  return {
    error: {
      message: error.message ?? `The fake provider answers ${status}`,
      type: error.type ?? (status >= 500 ? 'server_error' : 'invalid_request_error'),
      param: error.param ?? null,
      code: error.code ?? null,
    },
  };
}

export function anthropicError(status: number, error: ScriptedError = {}): Record<string, unknown> {
  return {
    type: 'error',
    error: {
      type: error.type ?? anthropicTypes[status] ?? 'api_error',
      message: error.message ?? `The fake provider answers ${status}`,
    },
    request_id: 'req_fake',
  };
}

const googleStatuses: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

/** https://ai.google.dev/gemini-api/docs/troubleshooting */
export function googleError(status: number, error: ScriptedError = {}): Record<string, unknown> {
  return {
    error: {
      code: status,
      message: error.message ?? `The fake provider answers ${status}`,
      status: error.type ?? googleStatuses[status] ?? 'INTERNAL',
    },
  };
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html; the type stands in a header. Cohere's are the same. */
export function amazonError(status: number, error: ScriptedError = {}): Record<string, unknown> {
  return { message: error.message ?? `The fake provider answers ${status}` };
}

/** https://github.com/ollama/ollama/blob/main/docs/api.md */
export function ollamaError(status: number, error: ScriptedError = {}): Record<string, unknown> {
  return { error: error.message ?? `The fake provider answers ${status}` };
}

import { awsException } from '../../core/aws-event-stream.ts';
import type { Dialect, UpstreamErrorFacts } from '../../core/dialect.ts';
import type { GatewayError } from '../../core/errors.ts';
import { errorFacts } from '../error-facts.ts';

const typeByStatus: Readonly<Record<number, string>> = {
  401: 'UnrecognizedClientException',
  403: 'AccessDeniedException',
  404: 'ResourceNotFoundException',
  408: 'ModelTimeoutException',
  409: 'ConflictException',
  424: 'ModelErrorException',
  429: 'ThrottlingException',
  500: 'InternalServerException',
  503: 'ServiceUnavailableException',
  504: 'ModelTimeoutException',
};

function typeOf({ status }: GatewayError): string {
  return typeByStatus[status] ?? (status >= 500 ? 'InternalServerException' : 'ValidationException');
}

/** Names under which a failure may stand in a stream, and the status each would have had. */
const statusByException: Readonly<Record<string, number>> = {
  internalServerException: 500,
  modelStreamErrorException: 424,
  validationException: 400,
  throttlingException: 429,
  serviceUnavailableException: 503,
  modelTimeoutException: 408,
};

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors */
export const converseErrors: Dialect['errors'] = {
  encode: (error) => ({ __type: typeOf(error), message: error.message }),
  streamEvent: (error) => {
    const type = typeOf(error);
    const told = type[0]!.toLowerCase() + type.slice(1);
    return awsException(Object.hasOwn(statusByException, told) ? told : 'internalServerException', error.message);
  },
  decode: (_status, body) => errorFacts(body),
};

/** What an exception in a stream says. */
export function exceptionFacts(type: string, payload: Buffer): UpstreamErrorFacts & { readonly status: number } {
  const facts = errorFacts(payload);
  return { ...facts, type, status: statusByException[type] ?? 500 };
}

import type { AnswerOptions, BodyEdits, Dialect, ResponseFacts } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Admitted, CallerHeaders } from '../../core/exchange.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { editMembers } from '../../core/json-members.ts';
import type { NeutralResponse } from '../../core/neutral.ts';
import type { Secret } from '../../core/secret.ts';
import { errorOfEvent, providerError } from './provider-error.ts';
import type { Target } from './translate.ts';

/** Where an answer comes from. */
export interface AnswerSource {
  readonly target: Pick<Target, 'deployment' | 'dialect'>;
  readonly status: number | null;
  readonly headers: CallerHeaders;
  secrets(): readonly Secret[];
}

export interface WholeAnswer {
  /** In the caller's dialect. */
  readonly bytes: Uint8Array;
  readonly facts: ResponseFacts;
  /** undefined for JSON. */
  readonly contentType?: string;
  /** Where it is not 200. */
  readonly status?: number;
}

/**
 * Reads a provider's whole answer and puts it into the caller's dialect: bytes as they came, but for the model name,
 * where both speak the same. Throws GatewayError for a body that is no answer.
 */
export function wholeAnswer(
  exchange: Admitted,
  attempt: AnswerSource,
  bytes: Buffer,
  options: AnswerOptions,
): WholeAnswer {
  const { dialect } = attempt.target;
  const contentType = attempt.headers['content-type'];
  if (
    dialect.response.decodeBytes !== undefined &&
    typeof contentType === 'string' &&
    !/json|html/i.test(contentType)
  ) {
    return toldAs(exchange, dialect.response.decodeBytes(bytes, contentType), noFacts, options);
  }
  if (exchange.passThrough !== null) return untouched(dialect, attempt, bytes);
  const body = parsed(attempt, bytes);
  if (dialect !== exchange.dialect) {
    return toldAs(exchange, decoded(attempt, body), dialect.response.read(body), options);
  }
  const facts = dialect.response.read(body);
  if (dialect.response.encodeBytes !== undefined) {
    // The provider may have been asked for JSON where the caller wants something else.
    const told = dialect.response.encodeBytes(decoded(attempt, body), options);
    if (told.contentType !== 'application/json') return { ...told, facts };
  }
  if (exchange.facts.stream && dialect.replay !== undefined) {
    return { bytes: dialect.replay(body, options), facts, contentType: dialect.streamContentType! };
  }
  const edits = dialect.response.restamp?.(body, options) ?? withModel(body, options);
  return { bytes: editMembers(bytes, edits, body), facts };
}

/** An answer that is passed on whatever it is, and read only for the usage it may tell. */
function untouched(dialect: Dialect, { headers, status }: AnswerSource, bytes: Buffer): WholeAnswer {
  const contentType = headers['content-type'];
  const about = { ...(typeof contentType === 'string' && { contentType }), ...(status !== null && { status }) };
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString());
  } catch {
    body = undefined;
  }
  return { bytes, facts: isJsonObject(body) ? dialect.response.read(body) : noFacts, ...about };
}

/** An answer in the neutral form, in the caller's. */
function toldAs(
  exchange: Admitted,
  response: NeutralResponse,
  facts: ResponseFacts,
  options: AnswerOptions,
): WholeAnswer {
  const { dialect } = exchange;
  if (dialect.response.encodeBytes !== undefined) return { ...dialect.response.encodeBytes(response, options), facts };
  const told = dialect.response.encode(response, options);
  if (exchange.facts.stream && dialect.replay !== undefined) {
    return { bytes: dialect.replay(told, options), facts, contentType: dialect.streamContentType! };
  }
  return { bytes: Buffer.from(JSON.stringify(dialect.listAnswer ? told.list : told)), facts };
}

const noFacts: ResponseFacts = {
  id: undefined,
  model: undefined,
  usage: undefined,
  finishReason: null,
  outputBytes: 0,
};

function withModel(body: JsonObject, { model }: AnswerOptions): BodyEdits {
  return model === undefined || model === body.model || body.model === undefined
    ? noEdits
    : new Map([['model', model]]);
}

const noEdits: BodyEdits = new Map();

function parsed(attempt: AnswerSource, bytes: Buffer): JsonObject {
  const { provider } = attempt.target.deployment;
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString());
  } catch {
    throw providerError('upstream_connection', provider, notAnAnswer(attempt, bytes), []);
  }
  if (Array.isArray(body) && attempt.target.dialect.listAnswer) return { list: body };
  if (!isJsonObject(body)) throw providerError('upstream_connection', provider, 'the answer is not a JSON object', []);
  // Some providers tell failures with status 200.
  if (
    isJsonObject(body.error) &&
    body.choices === undefined &&
    body.content === undefined &&
    body.data === undefined &&
    body.output === undefined
  ) {
    const status = typeof body.error.code === 'number' ? body.error.code : undefined;
    const facts = attempt.target.dialect.errors.decode(status ?? 500, bytes);
    throw errorOfEvent(provider, { ...facts, status }, attempt.secrets());
  }
  return body;
}

function decoded(attempt: AnswerSource, body: JsonObject) {
  try {
    return attempt.target.dialect.response.decode(body);
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    throw providerError(cause.code, attempt.target.deployment.provider, cause.message, []);
  }
}

function notAnAnswer(attempt: AnswerSource, bytes: Buffer): string {
  if (bytes.length === 0) return 'the answer is empty';
  const contentType = attempt.headers['content-type'];
  if (typeof contentType === 'string' && contentType.includes('html')) {
    return 'answered with an HTML page instead of JSON; check api_base';
  }
  return 'the answer is not valid JSON';
}

import type { GatewayError } from '../../core/errors.ts';
import type { Answered, Outcome, Planned, Received } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import { editMembers } from '../../core/json-members.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { RequestRecord, RequestStatus } from '../../core/request-record.ts';
import type { Snapshot } from '../../core/route.ts';
import { scrub } from '../../core/scrub.ts';
import { noUsage } from '../../core/usage.ts';
import type { Arrival } from '../arrival.ts';
import type { Gateway } from '../gateway.ts';
import type { ReplayedAnswer } from '../once.ts';
import type { Start } from '../receive.ts';

const errorMessageLengthMax = 2_000;
const contentLengthMax = 262_144;
const metadataBytesMax = 16_384;

/** The row of a request that reached the call station. */
export function recordOf(gateway: Gateway, answered: Answered, outcome: Outcome, cost: Nanodollars): RequestRecord {
  const { deployment, error } = outcome;
  const { settings } = answered.snapshot;
  const storesContent = settings.storePromptsAndAnswers && !answered.options.noLog;
  const { principal, options, facts } = answered;
  // Spelled out: a record that is put together from two objects costs three times as much.
  return {
    id: answered.id,
    operation: answered.operation,
    dialect: answered.dialect.name,
    path: answered.path,
    status: outcome.kind,
    httpStatus: outcome.httpStatus,
    errorCode: error?.code ?? null,
    errorMessage: error === null ? null : safeMessage(error, answered.snapshot),
    keyId: principal.keyId,
    keyAlias: principal.keyAlias,
    userId: principal.userId,
    teamId: principal.teamId,
    organizationId: principal.organizationId,
    endUserId: answered.endUserId,
    tags: answered.tags,
    sessionId: options.sessionId,
    traceId: options.traceId ?? answered.trace?.traceId ?? null,
    clientAddress: answered.clientAddress,
    modelAsked: facts.model === undefined ? null : cut(facts.model, 256),
    modelGroup: outcome.group ?? answered.route.primary.name,
    deploymentId: deployment?.id ?? null,
    provider: deployment?.provider.id ?? null,
    modelUsed: outcome.modelUsed,
    apiBase: deployment?.apiBase ?? null,
    stream: facts.stream,
    cacheHit: outcome.cacheHit,
    cacheKey: outcome.cacheKey,
    usage: outcome.usage,
    cost,
    bound: answered.bound,
    priceSource: deployment?.price?.source ?? null,
    startedAt: answered.receivedAt,
    firstTokenAt: outcome.firstTokenAt,
    endedAt: outcome.endedAt,
    admittedMs: toMicrosecond(answered.admittedTick - answered.receivedTick),
    overheadMs: toMicrosecond(Math.max(0, gateway.clock.tick() - answered.receivedTick - outcome.upstreamMs)),
    attempts: outcome.attempts,
    finishReason: outcome.finishReason,
    metadata: boundedMetadata(options.metadata, answered.bytes.length),
    requestText: storesContent ? cut(saidText(answered), contentLengthMax) : null,
    responseText: storesContent && outcome.responseText !== null ? cut(outcome.responseText, contentLengthMax) : null,
  };
}

/** The caller's bytes without the credentials and addresses it may have brought. */
function saidText({ bytes, options: { connection } }: Answered): string {
  const brought = Object.keys(connection);
  if (brought.length === 0) return bytes.toString('utf8');
  return editMembers(bytes, new Map(brought.map((name) => [name, undefined]))).toString('utf8');
}

/** How a request ended that never got to the call station, or broke inside the gateway. */
export interface RefusedRequest {
  readonly arrival: Arrival;
  readonly start: Start;
  /** null when not even the body could be read. */
  readonly journey: Received | null;
  readonly error: GatewayError;
  readonly status: RequestStatus;
  readonly cost: Nanodollars;
}

/** The row of a request that was given the answer of an earlier one. */
export function recordOfReplay(
  gateway: Gateway,
  start: Start,
  journey: Received,
  { requestId, answer }: ReplayedAnswer,
): RequestRecord {
  const fields = ofJourney(journey);
  return {
    ...fields,
    status: answer.status < 400 ? 'success' : 'failure',
    httpStatus: answer.status,
    errorCode: null,
    errorMessage: null,
    ...neverSent,
    modelGroup: null,
    cost: 0,
    bound: 0,
    endedAt: gateway.clock.now(),
    overheadMs: Math.max(0, gateway.clock.tick() - start.tick),
    metadata: { ...fields.metadata, idempotent_replay_of: requestId },
  };
}

/** The row of a request whose tokens were counted: nothing was bought. */
export function recordOfCount(gateway: Gateway, start: Start, journey: Planned): RequestRecord {
  return {
    ...ofJourney(journey),
    status: 'success',
    httpStatus: 200,
    errorCode: null,
    errorMessage: null,
    ...neverSent,
    modelGroup: journey.route.primary.name,
    cost: 0,
    bound: 0,
    endedAt: gateway.clock.now(),
    overheadMs: Math.max(0, gateway.clock.tick() - start.tick),
  };
}

const neverSent = {
  deploymentId: null,
  provider: null,
  modelUsed: null,
  apiBase: null,
  cacheHit: false,
  cacheKey: null,
  usage: noUsage,
  priceSource: null,
  firstTokenAt: null,
  attempts: [],
  finishReason: null,
  requestText: null,
  responseText: null,
} as const;

export function recordOfRefusal(gateway: Gateway, refused: RefusedRequest): RequestRecord {
  const { arrival, start, journey, error } = refused;
  const journeyed = journey === null ? ofArrival(arrival, start) : ofJourney(journey);
  return {
    ...journeyed,
    status: refused.status,
    httpStatus: error.status,
    errorCode: error.code,
    errorMessage: safeMessage(error, start.snapshot),
    modelGroup: journey === null ? null : ((journey as Partial<Answered>).route?.primary.name ?? null),
    deploymentId: null,
    provider: null,
    modelUsed: null,
    apiBase: null,
    cacheHit: false,
    cacheKey: null,
    usage: noUsage,
    cost: refused.cost,
    bound: journey === null ? 0 : ((journey as Partial<Answered>).bound ?? 0),
    priceSource: null,
    firstTokenAt: null,
    endedAt: gateway.clock.now(),
    overheadMs: Math.max(0, gateway.clock.tick() - start.tick),
    attempts: [],
    finishReason: null,
    requestText: null,
    responseText: null,
  };
}

type JourneyFields = Pick<
  RequestRecord,
  | 'id'
  | 'operation'
  | 'dialect'
  | 'path'
  | 'keyId'
  | 'keyAlias'
  | 'userId'
  | 'teamId'
  | 'organizationId'
  | 'endUserId'
  | 'tags'
  | 'sessionId'
  | 'traceId'
  | 'clientAddress'
  | 'modelAsked'
  | 'stream'
  | 'startedAt'
  | 'metadata'
>;

function ofJourney(journey: Received): JourneyFields {
  const { endUserId, tags, principal } = journey as Partial<Answered> & Received;
  const { options, facts } = journey;
  return {
    id: journey.id,
    operation: journey.operation,
    dialect: journey.dialect.name,
    path: journey.path,
    keyId: principal?.keyId ?? null,
    keyAlias: principal?.keyAlias ?? null,
    userId: principal?.userId ?? null,
    teamId: principal?.teamId ?? null,
    organizationId: principal?.organizationId ?? null,
    endUserId: endUserId ?? null,
    tags: tags ?? [],
    sessionId: options.sessionId,
    traceId: options.traceId ?? journey.trace?.traceId ?? null,
    clientAddress: journey.clientAddress,
    modelAsked: facts.model === undefined ? null : cut(facts.model, 256),
    stream: facts.stream,
    startedAt: journey.receivedAt,
    metadata: boundedMetadata(options.metadata, journey.bytes.length),
  };
}

function ofArrival(arrival: Arrival, start: Start): JourneyFields {
  return {
    id: start.id,
    operation: arrival.matched.route.operation,
    dialect: arrival.matched.route.dialect,
    path: arrival.path,
    keyId: null,
    keyAlias: null,
    userId: null,
    teamId: null,
    organizationId: null,
    endUserId: null,
    tags: [],
    sessionId: null,
    traceId: null,
    clientAddress: arrival.clientAddress,
    modelAsked: arrival.matched.model === undefined ? null : cut(arrival.matched.model, 256),
    stream: false,
    startedAt: start.at,
    metadata: {},
  };
}

/** A body this small cannot hold metadata that is too large. */
function boundedMetadata(metadata: JsonObject, bodyBytes: number): JsonObject {
  if (bodyBytes <= metadataBytesMax || JSON.stringify(metadata).length <= metadataBytesMax) return metadata;
  return { truncated: `metadata of more than ${metadataBytesMax} bytes is not kept` };
}

function toMicrosecond(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}

function safeMessage(error: GatewayError, { secrets, settings }: Snapshot): string | null {
  if (settings.errorTextsKept === false) return null;
  return cut(scrub(error.message, secrets), errorMessageLengthMax);
}

function cut(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax)}…`;
}

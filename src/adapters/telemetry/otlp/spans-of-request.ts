import { costSplit } from '../../../core/cost-split.ts';
import { dollarsFromNanodollars } from '../../../core/money.ts';
import { kindOf, type RecordKind } from '../../../core/record-kind.ts';
import type { Attempt, RequestRecord } from '../../../core/request-record.ts';
import { attemptSpan, hexOfRequestId, spanId, type TraceContext } from '../../../core/trace-context.ts';
import { totalInputTokens, totalOutputTokens } from '../../../core/usage.ts';
import type { SinkEntry, StationTimes } from '../../sinks/entry.ts';
import { saidTexts } from './messages.ts';
import { type Attributes, type AttributeValue, Measure, SharedAttributes, type Span, spanKinds } from './span.ts';
import { flat, genAi, genAiParameters, general, litellm, ours } from './vocabulary.ts';

/** Where the conventions have another word for it. */
const operationNames: Readonly<Record<string, string>> = { embedding: 'embeddings', image: 'generate_content' };
/** Formats that go on with a text instead of a conversation. */
const completing: ReadonlySet<string> = new Set(['openai-completions', 'ollama-generate']);

export function operationName({ operation, dialect }: Pick<RequestRecord, 'operation' | 'dialect'>): string {
  if (completing.has(dialect)) return 'text_completion';
  return operationNames[operation] ?? operation;
}

/** What the conventions call a provider, by its id. */
export type ConventionName = (providerId: string) => string;

const asItsId: ConventionName = (providerId) => providerId;

/** A station that took less is not worth a span of its own. */
const stationMsMin = 0.2;

/** Stations that may have to wait, each with the number that its span id is made with. */
const stations: readonly {
  readonly name: string;
  readonly number: number;
  readonly from: keyof StationTimes;
  readonly to: keyof StationTimes;
}[] = [
  { name: 'receive', number: 1, from: 'arrived', to: 'received' },
  { name: 'authenticate', number: 2, from: 'received', to: 'identified' },
  { name: 'plan', number: 3, from: 'identified', to: 'planned' },
  { name: 'admit', number: 4, from: 'planned', to: 'admitted' },
  { name: 'cache', number: 5, from: 'cacheAsked', to: 'cacheTold' },
];

/** The spans of one finished request: itself, the stations that took time, its attempts in order. */
export function spansOf(
  entry: SinkEntry,
  conventionName: ConventionName = asItsId,
  decorate: (entry: SinkEntry, root: Attributes) => void = () => {},
): Span[] {
  const trace = entry.trace ?? ownTrace(entry.record.id);
  const root = rootSpan(entry, trace, conventionName);
  decorate(entry, root.attributes);
  const spans = [root];
  for (const station of stations) {
    const startedAt = entry.times[station.from];
    const endedAt = entry.times[station.to];
    if (startedAt === null || endedAt === null || endedAt - startedAt < stationMsMin) continue;
    spans.push(stationSpan(trace, station, startedAt, endedAt));
  }
  const { attempts } = entry.record;
  for (let index = 0; index < attempts.length; index++) {
    spans.push(attemptSpanOf(entry, trace, attempts[index]!, index, root, conventionName));
  }
  return spans;
}

// Members one by one, in one order: all spans have one shape, and none is put together of others.

const nothingShared = new SharedAttributes([]);

function stationSpan(
  trace: TraceContext,
  { name, number }: (typeof stations)[number],
  startedAt: number,
  endedAt: number,
): Span {
  return {
    traceId: trace.traceId,
    spanId: spanId(trace.seed, number),
    parentSpanId: spanId(trace.seed, 0),
    traceState: trace.state,
    name,
    kind: spanKinds.internal,
    startedAt,
    endedAt,
    shared: nothingShared,
    attributes: [],
    isError: false,
    errorMessage: null,
    sampled: true,
  };
}

/** Of a request that nobody began a trace for. */
export function ownTrace(requestId: string): TraceContext {
  const hex = hexOfRequestId(requestId);
  return { traceId: hex, parentSpanId: null, seed: hex.slice(16), sampled: true, state: null };
}

function rootSpan(entry: SinkEntry, trace: TraceContext, conventionName: ConventionName): Span {
  const { record, times } = entry;
  const operation = operationName(record);
  // A name that was refused could be anything.
  const name =
    record.modelGroup === null || record.modelAsked === null ? operation : `${operation} ${record.modelAsked}`;
  const isError = record.status === 'failure' || record.status === 'unknown';
  return {
    traceId: trace.traceId,
    spanId: spanId(trace.seed, 0),
    parentSpanId: trace.parentSpanId,
    traceState: trace.state,
    name,
    kind: spanKinds.server,
    startedAt: times.arrived,
    endedAt: times.ended,
    shared: sharedOf(kindOf(record), conventionName),
    attributes: rootAttributes(entry),
    isError,
    errorMessage: isError ? record.errorMessage : null,
    sampled: true,
  };
}

const sharedByKind = new WeakMap<RecordKind, SharedAttributes>();

/** What all requests of a kind say of themselves. */
function sharedOf(kind: RecordKind, conventionName: ConventionName): SharedAttributes {
  let shared = sharedByKind.get(kind);
  if (shared === undefined) {
    shared = new SharedAttributes(kindAttributes(kind, conventionName));
    sharedByKind.set(kind, shared);
  }
  return shared;
}

function kindAttributes(kind: RecordKind, conventionName: ConventionName): Attributes {
  const list: Attributes = [];
  put(list, flat.model, kind.modelAsked ?? kind.modelUsed);
  put(list, flat.virtualKey, kind.keyAlias ?? kind.keyId);
  put(list, flat.provider, kind.provider);

  put(list, genAi.operation, operationName(kind));
  put(list, genAi.provider, kind.provider === null ? null : conventionName(kind.provider));
  put(list, genAi.requestModel, kind.modelAsked);
  put(list, genAi.responseModel, kind.modelUsed);
  if (kind.finishReason !== null) put(list, genAi.finishReasons, [kind.finishReason]);
  if (kind.errorCode !== null) put(list, general.errorType, kind.errorCode);
  put(list, general.httpMethod, 'POST');
  put(list, general.urlPath, kind.path);
  put(list, general.httpStatus, kind.httpStatus);

  put(list, litellm.system, kind.provider);
  put(list, litellm.isStreaming, String(kind.stream));
  put(list, litellm.keyHash, kind.keyId);
  put(list, litellm.keyAlias, kind.keyAlias);
  put(list, litellm.teamId, kind.teamId);
  put(list, litellm.organizationId, kind.organizationId);
  put(list, litellm.userId, kind.userId);

  put(list, ours.status, kind.status);
  put(list, ours.deployment, kind.deploymentId);
  put(list, ours.group, kind.modelGroup);
  put(list, ours.cacheHit, kind.cacheHit);
  return list;
}

function put(list: Attributes, name: string, value: AttributeValue | null): void {
  if (value !== null && value !== '') list.push(name, value);
}

/** What this request says beside what all of its kind do. */
function rootAttributes(entry: SinkEntry): Attributes {
  const { record, times } = entry;
  const { usage } = record;
  const inputTokens = totalInputTokens(usage);
  const outputTokens = totalOutputTokens(usage);
  const cost = new Measure(dollarsFromNanodollars(record.cost));
  const list: Attributes = [
    flat.totalTokens,
    inputTokens + outputTokens,
    flat.promptTokens,
    inputTokens,
    flat.completionTokens,
    outputTokens,
    flat.latency,
    new Measure(rounded(times.ended - times.arrived)),
    flat.cost,
    cost,
    genAi.inputTokens,
    inputTokens,
    genAi.outputTokens,
    outputTokens,
    litellm.totalTokens,
    inputTokens + outputTokens,
    litellm.totalCost,
    cost,
    ours.requestId,
    record.id,
    ours.gatewayTime,
    new Measure(rounded(record.overheadMs)),
    ours.providerTime,
    new Measure(rounded(entry.providerMs)),
    ours.attempts,
    record.attempts.length,
  ];
  putCosts(list, entry);
  put(list, genAi.conversation, record.sessionId);
  for (const name in entry.parameters) {
    const known = genAiParameters[name];
    if (known !== undefined && !list.includes(known)) put(list, known, parameterValue(name, entry.parameters[name]));
  }
  put(list, general.clientAddress, record.clientAddress);
  put(list, litellm.teamAlias, entry.teamAlias);
  put(list, litellm.userEmail, entry.userEmail);
  put(list, litellm.endUserId, record.endUserId);
  put(list, ours.callId, entry.callId);
  if (record.tags.length > 0) put(list, ours.tags, record.tags);
  if (usage.cacheReadTokens > 0) put(list, ours.cachedTokens, usage.cacheReadTokens);
  if (usage.reasoningTokens > 0) put(list, ours.reasoningTokens, usage.reasoningTokens);
  const firstTokenMs = record.firstTokenAt === null ? null : Math.max(0, record.firstTokenAt - record.startedAt);
  if (record.stream && firstTokenMs !== null) put(list, ours.firstToken, new Measure(firstTokenMs));
  const rate = outputTokensPerSecond(entry, outputTokens);
  if (rate !== null) put(list, ours.tokensPerSecond, new Measure(rounded(rate)));

  if (entry.content !== null) {
    const said = saidTexts(entry.content);
    put(list, genAi.systemInstructions, said.system);
    put(list, genAi.inputMessages, said.input);
    put(list, genAi.outputMessages, said.output);
  }
  return list;
}

/** What the cost is made of; fees, and a cost before discount and margin, only where there are. */
function putCosts(list: Attributes, { record, priced }: SinkEntry): void {
  const split = priced === null || record.cost === 0 ? null : costSplit(record, priced.price, priced.settings);
  if (split === null) return;
  list.push(litellm.inputCost, new Measure(split.input), litellm.outputCost, new Measure(split.output));
  if (split.tools > 0) list.push(litellm.toolCost, new Measure(split.tools));
  if (split.discount > 0 || split.margin > 0) list.push(litellm.originalCost, new Measure(split.original));
}

/** Of a stream from its first content on, of a whole answer over all the time its provider took. */
export function outputTokensPerSecond({ record, providerMs }: SinkEntry, outputTokens: number): number | null {
  if (outputTokens === 0 || record.status !== 'success' || record.cacheHit) return null;
  const ms = record.stream && record.firstTokenAt !== null ? record.endedAt - record.firstTokenAt : providerMs;
  return ms > 0 ? (outputTokens * 1_000) / ms : null;
}

function attemptSpanOf(
  entry: SinkEntry,
  trace: TraceContext,
  attempt: Attempt,
  index: number,
  root: Span,
  conventionName: ConventionName,
): Span {
  const { record } = entry;
  const isError = attempt.result !== 'success';
  const shared =
    attempt.deploymentId === record.deploymentId && !isError ? answeredBy(record, attempt, conventionName) : null;
  const attributes: Attributes = [ours.attempt, index];
  if (isError) attributes.push(general.errorType, attempt.result);
  // Attempts are timed in whole milliseconds; inside their request they stay.
  const startedAt = Math.min(Math.max(attempt.startedAt, root.startedAt), root.endedAt);
  return {
    traceId: trace.traceId,
    spanId: spanId(trace.seed, attemptSpan + index),
    parentSpanId: spanId(trace.seed, 0),
    traceState: trace.state,
    name: `${operationName(record)} ${attempt.model}`,
    kind: spanKinds.client,
    startedAt,
    endedAt: Math.min(startedAt + attempt.durationMs, root.endedAt),
    shared: shared ?? new SharedAttributes(attemptAttributes(record, attempt, conventionName)),
    attributes,
    isError: isError && attempt.result !== 'aborted',
    errorMessage: null,
    sampled: true,
  };
}

const answersByKind = new WeakMap<RecordKind, { readonly attempt: Attempt; readonly shared: SharedAttributes }>();

/** The attempt that answered says the same of itself in nearly all requests of a kind. */
function answeredBy(record: RequestRecord, attempt: Attempt, conventionName: ConventionName): SharedAttributes {
  const kind = kindOf(record);
  let known = answersByKind.get(kind);
  if (known === undefined || !isAlike(known.attempt, attempt)) {
    known = { attempt, shared: new SharedAttributes(attemptAttributes(record, attempt, conventionName)) };
    answersByKind.set(kind, known);
  }
  return known.shared;
}

function isAlike(one: Attempt, other: Attempt): boolean {
  return (
    one.model === other.model &&
    one.group === other.group &&
    one.status === other.status &&
    one.provider === other.provider &&
    one.deploymentId === other.deploymentId
  );
}

function attemptAttributes(record: RequestRecord, attempt: Attempt, conventionName: ConventionName): Attributes {
  const list: Attributes = [
    genAi.operation,
    operationName(record),
    genAi.provider,
    conventionName(attempt.provider),
    genAi.requestModel,
    attempt.model,
    ours.group,
    attempt.group,
    ours.deployment,
    attempt.deploymentId,
  ];
  if (attempt.status !== null) list.push(general.httpStatus, attempt.status);
  if (attempt.deploymentId === record.deploymentId && record.apiBase !== null) list.push(...serverOf(record.apiBase));
  return list;
}

const servers = new Map<string, Attributes>();
const serversMax = 1_000;

function serverOf(apiBase: string): Attributes {
  let known = servers.get(apiBase);
  if (known === undefined) {
    known = [];
    if (URL.canParse(apiBase)) {
      const { hostname, port, protocol } = new URL(apiBase);
      known.push(
        general.serverAddress,
        hostname,
        general.serverPort,
        Number(port) || (protocol === 'http:' ? 80 : 443),
      );
    }
    if (servers.size >= serversMax) servers.clear();
    servers.set(apiBase, known);
  }
  return known;
}

const counts: ReadonlySet<string> = new Set(['max_tokens', 'max_completion_tokens', 'seed', 'n']);

/** What the conventions call a double is one, also where the caller wrote a whole number. */
function parameterValue(name: string, value: unknown): AttributeValue | null {
  if (typeof value !== 'number' || !Number.isFinite(value)) return null;
  return counts.has(name) ? Math.round(value) : new Measure(value);
}

/** To the microsecond. */
function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}

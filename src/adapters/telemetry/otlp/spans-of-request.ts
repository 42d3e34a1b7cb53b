import { dollarsFromNanodollars } from '../../../core/money.ts';
import type { Operation } from '../../../core/operation.ts';
import type { Attempt } from '../../../core/request-record.ts';
import { attemptSpan, hexOfRequestId, spanId, type TraceContext } from '../../../core/trace-context.ts';
import { totalInputTokens, totalOutputTokens } from '../../../core/usage.ts';
import type { SinkEntry, StationTimes } from '../../sinks/entry.ts';
import { saidTexts } from './messages.ts';
import { type Attributes, type AttributeValue, Measure, type Span, spanKinds } from './span.ts';
import { flat, genAi, genAiParameters, general, litellm, ours } from './vocabulary.ts';

/** Where the conventions have another word for it. */
const operationNames: Readonly<Record<string, string>> = { embedding: 'embeddings', image: 'generate_content' };

export function operationName(operation: Operation): string {
  return operationNames[operation] ?? operation;
}

/** A station that took less is not worth a span of its own. */
const stationMsMin = 0.2;

/** Stations that may have to wait, each with the number that its span id is made with. */
const stations: readonly (readonly [name: string, number: number, from: keyof StationTimes, to: keyof StationTimes])[] =
  [
    ['receive', 1, 'arrived', 'received'],
    ['authenticate', 2, 'received', 'identified'],
    ['plan', 3, 'identified', 'planned'],
    ['admit', 4, 'planned', 'admitted'],
  ];

/** The spans of one finished request: itself, the stations that took time, its attempts in order. */
export function spansOf(entry: SinkEntry, decorate: (entry: SinkEntry, root: Attributes) => void = () => {}): Span[] {
  const trace = entry.trace ?? ownTrace(entry.record.id);
  const root = rootSpan(entry, trace);
  decorate(entry, root.attributes);
  const spans = [root];
  for (const [name, number, from, to] of stations) {
    const startedAt = entry.times[from];
    const endedAt = entry.times[to];
    if (startedAt === null || endedAt === null || endedAt - startedAt < stationMsMin) continue;
    spans.push({
      ...child(trace, number),
      name,
      kind: spanKinds.internal,
      startedAt,
      endedAt,
      attributes: [],
      ...fine,
    });
  }
  for (const [index, attempt] of entry.record.attempts.entries()) {
    spans.push(attemptSpanOf(entry, trace, attempt, index, root));
  }
  return spans;
}

const fine = { isError: false, errorMessage: null } as const;

/** Of a request that nobody began a trace for. */
export function ownTrace(requestId: string): TraceContext {
  const hex = hexOfRequestId(requestId);
  return { traceId: hex, parentSpanId: null, seed: hex.slice(16), sampled: true, state: null };
}

function child(trace: TraceContext, number: number) {
  return {
    traceId: trace.traceId,
    spanId: spanId(trace.seed, number),
    parentSpanId: spanId(trace.seed, 0),
    traceState: trace.state,
    sampled: true,
  };
}

function rootSpan(entry: SinkEntry, trace: TraceContext): Span {
  const { record, times } = entry;
  const operation = operationName(record.operation);
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
    attributes: rootAttributes(entry),
    isError,
    errorMessage: isError ? record.errorMessage : null,
    sampled: true,
  };
}

function rootAttributes(entry: SinkEntry): Attributes {
  const { record, times } = entry;
  const { usage } = record;
  const inputTokens = totalInputTokens(usage);
  const outputTokens = totalOutputTokens(usage);
  const list: Attributes = [];
  const put = (name: string, value: AttributeValue | null): void => {
    if (value !== null && value !== '') list.push(name, value);
  };
  const model = record.modelUsed ?? record.modelAsked;
  const key = record.keyAlias ?? record.keyId;
  const cost = new Measure(dollarsFromNanodollars(record.cost));

  put(flat.model, record.modelAsked ?? model);
  put(flat.virtualKey, key);
  put(flat.totalTokens, inputTokens + outputTokens);
  put(flat.promptTokens, inputTokens);
  put(flat.completionTokens, outputTokens);
  put(flat.latency, new Measure(rounded(times.ended - times.arrived)));
  put(flat.cost, cost);
  put(flat.provider, record.provider);

  put(genAi.operation, operationName(record.operation));
  put(genAi.provider, record.provider);
  put(genAi.requestModel, record.modelAsked);
  put(genAi.responseModel, record.modelUsed);
  put(genAi.inputTokens, inputTokens);
  put(genAi.outputTokens, outputTokens);
  if (record.finishReason !== null) put(genAi.finishReasons, [record.finishReason]);
  put(genAi.conversation, record.sessionId);
  for (const name in entry.parameters) {
    const known = genAiParameters[name];
    if (known !== undefined && !list.includes(known)) put(known, parameterValue(name, entry.parameters[name]));
  }
  if (record.errorCode !== null) put(general.errorType, record.errorCode);
  put(general.httpMethod, 'POST');
  put(general.urlPath, record.path);
  put(general.httpStatus, record.httpStatus);
  put(general.clientAddress, record.clientAddress);

  put(litellm.system, record.provider);
  put(litellm.totalTokens, inputTokens + outputTokens);
  put(litellm.totalCost, cost);
  put(litellm.isStreaming, String(record.stream));
  put(litellm.keyHash, record.keyId);
  put(litellm.keyAlias, record.keyAlias);
  put(litellm.teamId, record.teamId);
  put(litellm.teamAlias, entry.teamAlias);
  put(litellm.organizationId, record.organizationId);
  put(litellm.userId, record.userId);
  put(litellm.userEmail, entry.userEmail);
  put(litellm.endUserId, record.endUserId);

  put(ours.requestId, record.id);
  put(ours.callId, entry.callId);
  put(ours.status, record.status);
  put(ours.deployment, record.deploymentId);
  put(ours.group, record.modelGroup);
  put(ours.cacheHit, record.cacheHit);
  if (record.tags.length > 0) put(ours.tags, record.tags);
  put(ours.gatewayTime, new Measure(rounded(record.overheadMs)));
  put(ours.providerTime, new Measure(rounded(entry.providerMs)));
  put(ours.attempts, record.attempts.length);
  if (usage.cacheReadTokens > 0) put(ours.cachedTokens, usage.cacheReadTokens);
  if (usage.reasoningTokens > 0) put(ours.reasoningTokens, usage.reasoningTokens);
  const firstTokenMs = record.firstTokenAt === null ? null : Math.max(0, record.firstTokenAt - record.startedAt);
  if (record.stream && firstTokenMs !== null) put(ours.firstToken, new Measure(firstTokenMs));
  const rate = outputTokensPerSecond(entry, outputTokens);
  if (rate !== null) put(ours.tokensPerSecond, new Measure(rounded(rate)));

  if (entry.content !== null) {
    const said = saidTexts(entry.content);
    put(genAi.systemInstructions, said.system);
    put(genAi.inputMessages, said.input);
    put(genAi.outputMessages, said.output);
  }
  return list;
}

/** Of a stream from its first content on, of a whole answer over all the time its provider took. */
export function outputTokensPerSecond({ record, providerMs }: SinkEntry, outputTokens: number): number | null {
  if (outputTokens === 0 || record.status !== 'success' || record.cacheHit) return null;
  const ms = record.stream && record.firstTokenAt !== null ? record.endedAt - record.firstTokenAt : providerMs;
  return ms > 0 ? (outputTokens * 1_000) / ms : null;
}

function attemptSpanOf(entry: SinkEntry, trace: TraceContext, attempt: Attempt, index: number, root: Span): Span {
  const { record } = entry;
  const attributes: Attributes = [
    genAi.operation,
    operationName(record.operation),
    genAi.provider,
    attempt.provider,
    genAi.requestModel,
    attempt.model,
    ours.attempt,
    index,
    ours.group,
    attempt.group,
    ours.deployment,
    attempt.deploymentId,
  ];
  if (attempt.status !== null) attributes.push(general.httpStatus, attempt.status);
  if (attempt.deploymentId === record.deploymentId && record.apiBase !== null) {
    attributes.push(...serverOf(record.apiBase));
  }
  const isError = attempt.result !== 'success';
  if (isError) attributes.push(general.errorType, attempt.result);
  // Attempts are timed in whole milliseconds; inside their request they stay.
  const startedAt = Math.min(Math.max(attempt.startedAt, root.startedAt), root.endedAt);
  return {
    ...child(trace, attemptSpan + index),
    name: `${operationName(record.operation)} ${attempt.model}`,
    kind: spanKinds.client,
    startedAt,
    endedAt: Math.min(startedAt + attempt.durationMs, root.endedAt),
    attributes,
    isError: isError && attempt.result !== 'aborted',
    errorMessage: null,
  };
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

import type { Dialect } from '../../core/dialect.ts';
import type { Identified, Received, Settled } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Price } from '../../core/price.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import type { GatewaySettings } from '../../core/route.ts';
import type { TraceContext } from '../../core/trace-context.ts';

/** What sinks learn of one finished request: its row, when it passed the stations, and, where wanted, its content. */
export interface SinkEntry {
  readonly record: RequestRecord;
  readonly trace: TraceContext | null;
  readonly teamAlias: string | null;
  readonly userEmail: string | null;
  /** Name the caller gave the request, when it gave one. */
  readonly callId: string | null;
  /** Parameters of the request that are figures or switches: nothing of what was said. */
  readonly parameters: JsonObject;
  readonly times: StationTimes;
  /** Milliseconds that providers had it. */
  readonly providerMs: number;
  /** By what the cost came about; null where nobody was asked. */
  readonly priced: { readonly price: Price; readonly settings: GatewaySettings } | null;
  /** null where nobody may see it. */
  readonly content: RequestContent | null;
}

/** Unix milliseconds with a fraction; null for a station that was not reached. */
export interface StationTimes {
  readonly arrived: number;
  readonly received: number;
  readonly identified: number | null;
  readonly planned: number | null;
  readonly admitted: number | null;
  /** The look-up in the response cache, within admission. */
  readonly cacheAsked: number | null;
  readonly cacheTold: number | null;
  readonly ended: number;
}

export interface RequestContent {
  /** The wire format that both are in. */
  readonly dialect: Dialect;
  /** The caller's body without credentials. */
  readonly request: JsonObject;
  /** The answer as one body in the caller's dialect, or what arrived of it as text. */
  readonly response: string | null;
}

const parameterNames = [
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'n',
  'stream',
  'reasoning_effort',
  'dimensions',
  'encoding_format',
] as const;

/** `nowTick`: monotonic milliseconds of the moment it is told. */
export function entryOf(
  record: RequestRecord,
  journey: Received | null,
  nowTick: number,
  wantsContent: boolean,
): SinkEntry {
  if (journey === null) return bareEntry(record);
  const settled = journey as Partial<Settled> & Received;
  const base = journey.receivedAt - journey.receivedTick;
  const at = (tick: number | undefined): number | null => (tick === undefined || tick === 0 ? null : base + tick);
  return {
    record,
    trace: journey.trace,
    teamAlias: settled.principal?.teamAlias ?? null,
    userEmail: settled.principal?.userEmail ?? null,
    callId: journey.options.callId,
    parameters: parametersOf(journey.settings),
    times: {
      arrived: Math.min(journey.receivedAt, at(journey.arrivedTick) ?? journey.receivedAt),
      received: journey.receivedAt,
      identified: at(settled.identifiedTick),
      planned: at(settled.plannedTick),
      admitted: at(settled.admittedTick),
      cacheAsked: at(settled.cache?.askedTick),
      cacheTold: at(settled.cache?.toldTick),
      ended: base + nowTick,
    },
    providerMs: settled.outcome?.upstreamMs ?? 0,
    priced: pricedBy(settled),
    content: wantsContent && maySee(journey) ? contentOf(journey, settled.outcome?.responseText ?? null) : null,
  };
}

function bareEntry(record: RequestRecord): SinkEntry {
  const { startedAt, endedAt } = record;
  return {
    record,
    trace: null,
    teamAlias: null,
    userEmail: null,
    callId: null,
    parameters: {},
    times: {
      arrived: startedAt,
      received: startedAt,
      identified: null,
      planned: null,
      admitted: null,
      cacheAsked: null,
      cacheTold: null,
      ended: endedAt,
    },
    providerMs: 0,
    priced: null,
    content: null,
  };
}

function pricedBy({ outcome, snapshot }: Partial<Settled> & Received): SinkEntry['priced'] {
  const price = outcome?.deployment?.price ?? null;
  return price === null || outcome?.cacheHit ? null : { price, settings: snapshot.settings };
}

/** A caller may keep its content to itself. */
function maySee({ options }: Received): boolean {
  return !options.noLog && !options.redactsContent;
}

function contentOf({ dialect, body, options }: Received, response: string | null): RequestContent {
  const request = { ...body };
  for (const name in options.connection) delete request[name];
  return { dialect, request, response };
}

function parametersOf(body: JsonObject): JsonObject {
  const found: JsonObject = {};
  for (const name of parameterNames) {
    const value = body[name];
    if (value !== undefined && value !== null && typeof value !== 'object') found[name] = value;
  }
  return found;
}

/** Whether the key or its team wants something of its own. */
export function principalOf(journey: Received | null): Identified['principal'] | undefined {
  return (journey as Partial<Identified> | null)?.principal;
}

/** The same without who asked. */
export function withoutCaller(entry: SinkEntry): SinkEntry {
  return {
    ...entry,
    userEmail: null,
    record: { ...entry.record, keyId: null, keyAlias: null, userId: null, clientAddress: null },
  };
}

/** The same without what a provider or the gateway said about a failure: its code stays. */
export function withoutErrorText(entry: SinkEntry): SinkEntry {
  if (entry.record.errorMessage === null) return entry;
  return { ...entry, record: { ...entry.record, errorMessage: null } };
}

import type { Received, Settled } from '../../core/exchange.ts';
import { dollarsFromNanodollars } from '../../core/money.ts';
import type { RecordSink } from '../../core/ports.ts';
import { kindOf, type RecordKind } from '../../core/record-kind.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { type MetricSettings, metricSettingsDefault } from '../../core/sink-settings.ts';
import { totalInputTokens, totalOutputTokens } from '../../core/usage.ts';
import type { Counted, Distribution, Family } from './registry.ts';
import { createFamilies, type RequestFamilies } from './request-families.ts';

/** Handles of everything that one label set counts, kept so that a request looks them up once. */
interface Handles {
  readonly proxyTotal: Counted;
  readonly spend: Counted;
  readonly requests: Counted;
  readonly totalTokens: Counted;
  readonly inputTokens: Counted;
  readonly outputTokens: Counted;
  readonly totalLatency: Distribution;
  readonly apiLatency: Distribution;
  readonly firstToken: Distribution;
  readonly overhead: Distribution;
  readonly deploymentSuccess: Counted;
  /** Attempts at the deployment that answered, for the usual request that needed no other. */
  readonly deploymentTotal: Counted;
  readonly latencyPerToken: Distribution;
}

/** What the row has only ids of, or not at all. */
interface Names {
  readonly teamAlias: string;
  readonly userEmail: string;
  readonly endUser: string;
  /** Values of the operator's own labels, in their order. */
  readonly own: readonly string[];
}

const handlesMax = 20_000;
const remainingRequestsHeader = 'x-ratelimit-remaining-requests';
const remainingTokensHeader = 'x-ratelimit-remaining-tokens';

/** Counts every finished request. */
export class RequestMetrics implements RecordSink {
  readonly #settings: MetricSettings;
  readonly #families: RequestFamilies;
  readonly #handles = new Map<string, Handles>();
  readonly #lastOfKind = new WeakMap<RecordKind, { readonly names: Names; readonly handles: Handles }>();

  constructor(settings: MetricSettings = metricSettingsDefault) {
    this.#settings = settings;
    this.#families = createFamilies(settings);
  }

  record(record: RequestRecord, journey: Received | null = null): void {
    const names = this.#namesOf(record, journey);
    const handles = this.#handlesFor(record, names);
    handles.proxyTotal.value++;
    const seconds = (record.endedAt - record.startedAt) / 1000;
    if (record.status !== 'denied') {
      this.#families.totalLatency.observe(handles.totalLatency, seconds);
      this.#families.overhead.observe(handles.overhead, record.overheadMs / 1000);
    }
    if (record.status === 'success') {
      const inputTokens = totalInputTokens(record.usage);
      const outputTokens = totalOutputTokens(record.usage);
      handles.requests.value++;
      handles.totalTokens.value += inputTokens + outputTokens;
      handles.inputTokens.value += inputTokens;
      handles.outputTokens.value += outputTokens;
      if (record.deploymentId !== null && !record.cacheHit) {
        handles.deploymentSuccess.value++;
        this.#families.apiLatency.observe(handles.apiLatency, seconds - record.overheadMs / 1000);
        if (outputTokens > 0) this.#families.latencyPerToken.observe(handles.latencyPerToken, seconds / outputTokens);
      }
      if (record.stream && record.firstTokenAt !== null) {
        this.#families.firstToken.observe(handles.firstToken, (record.firstTokenAt - record.startedAt) / 1000);
      }
    } else {
      this.#countFailure(record, names);
    }
    handles.spend.value += dollarsFromNanodollars(record.cost);
    if (isPlain(record)) handles.deploymentTotal.value++;
    else this.#countAttempts(record, names, journey);
    if (journey !== null) this.#setRemaining(record, journey as Partial<Settled> & Received);
  }

  families(): readonly Family<unknown>[] {
    return Object.values(this.#families);
  }

  render(): string {
    return this.families()
      .map((family) => family.render())
      .join('');
  }

  #namesOf(record: RequestRecord, journey: Received | null): Names {
    const { endUser, metadataLabels, tags } = this.#settings;
    const principal = (journey as Partial<Settled> | null)?.principal;
    return {
      teamAlias: principal?.teamAlias ?? '',
      userEmail: principal?.userEmail ?? '',
      endUser: endUser ? (record.endUserId ?? '') : '',
      own:
        metadataLabels.length + tags.length === 0
          ? noLabels
          : [
              ...metadataLabels.map((path) => memberOf(path, record, principal?.metadata ?? {})),
              ...tags.map((tag) => String(record.tags.includes(tag))),
            ],
    };
  }

  /** Requests of a kind differ in their names seldom. */
  #handlesFor(record: RequestRecord, names: Names): Handles {
    const kind = kindOf(record);
    const last = this.#lastOfKind.get(kind);
    if (last !== undefined && isSame(last.names, names)) return last.handles;
    const handles = this.#handlesOf(record, names);
    this.#lastOfKind.set(kind, { names, handles });
    return handles;
  }

  #handlesOf(record: RequestRecord, names: Names): Handles {
    const ends = names.own === noLabels ? '' : names.own.join('\u001f');
    const stream = this.#settings.stream ? String(record.stream) : '';
    const name = `${record.keyId}\u001f${record.userId}\u001f${names.endUser}\u001f${record.modelAsked}\u001f${record.deploymentId}\u001f${record.modelUsed}\u001f${record.httpStatus}\u001f${record.path}\u001f${names.teamAlias}\u001f${stream}\u001f${ends}`;
    const known = this.#handles.get(name);
    if (known !== undefined) return known;
    if (this.#handles.size >= handlesMax) this.#handles.clear();
    const families = this.#families;
    const { own, endUser } = names;
    const key = keyLabels(record, names);
    const user = record.userId ?? '';
    const asked = askedOf(record);
    const model = record.modelUsed ?? '';
    const id = record.deploymentId ?? '';
    const deployment = [model, id, record.apiBase ?? '', record.provider ?? ''];
    const tokens = [endUser, ...key, asked, model, user, ...own];
    const answer = [model, ...key, asked, endUser, user, id, ...own];
    const proxy = [endUser, ...key, asked, user, names.userEmail, String(record.httpStatus), record.path, id];
    const handles: Handles = {
      proxyTotal: families.proxyTotal.series([...proxy, ...(stream === '' ? [] : [stream]), ...own]),
      spend: families.spend.series([endUser, ...key, model, user, ...own]),
      requests: families.requests.series([endUser, ...key, model, user, names.userEmail, ...own]),
      totalTokens: families.totalTokens.series(tokens),
      inputTokens: families.inputTokens.series(tokens),
      outputTokens: families.outputTokens.series(tokens),
      totalLatency: families.totalLatency.series([endUser, ...key, asked, model, user, id, ...own]),
      apiLatency: families.apiLatency.series(answer),
      firstToken: families.firstToken.series(answer),
      overhead: families.overhead.series([...addressOf(record), ...own]),
      deploymentSuccess: families.deploymentSuccess.series([asked, ...deployment, ...key, ...own]),
      deploymentTotal: families.deploymentTotal.series([asked, ...deployment, ...key, ...own]),
      latencyPerToken: families.latencyPerToken.series([...deployment, ...key, ...own]),
    };
    this.#handles.set(name, handles);
    return handles;
  }

  #countFailure(record: RequestRecord, names: Names): void {
    this.#families.proxyFailed.series([
      names.endUser,
      ...keyLabels(record, names),
      askedOf(record),
      record.userId ?? '',
      names.userEmail,
      String(record.httpStatus),
      record.errorCode ?? '',
      record.path,
      record.deploymentId ?? '',
      ...names.own,
    ]).value++;
  }

  #countAttempts(record: RequestRecord, names: Names, journey: Received | null): void {
    const asked = askedOf(record);
    const key = keyLabels(record, names);
    for (const { model, deploymentId, provider, status, result, group } of record.attempts) {
      const apiBase = journey?.snapshot.deployments.get(deploymentId)?.apiBase ?? '';
      const labels = [asked, model, deploymentId, apiBase, provider, ...key];
      this.#families.deploymentTotal.series([...labels, ...names.own]).value++;
      const failed = result !== 'success';
      const failure = [status === null ? '' : String(status), failed ? result : ''];
      if (failed) this.#families.deploymentFailure.series([...labels, ...failure, ...names.own]).value++;
      if (group === record.attempts[0]?.group) continue;
      const family = failed ? this.#families.fallbackFailure : this.#families.fallbackSuccess;
      family.series([asked, group, ...key, ...failure, ...names.own]).value++;
    }
  }

  /** What is left of limits, as the provider said it and as the key has it. */
  #setRemaining(record: RequestRecord, { reply, rateReservation }: Partial<Settled> & Received): void {
    const told = reply?.origin.providerHeaders;
    if (told !== null && told !== undefined) {
      const requests = figureOf(told[remainingRequestsHeader]);
      const tokens = figureOf(told[remainingTokensHeader]);
      if (requests !== null) this.#families.remainingRequests.series(addressOf(record)).value = requests;
      if (tokens !== null) this.#families.remainingTokens.series(addressOf(record)).value = tokens;
    }
    if (rateReservation === null || rateReservation === undefined) return;
    const { claims } = rateReservation;
    for (let index = 0; index < claims.length; index++) {
      const { rule } = claims[index]!;
      if (rule.scope !== 'key' || rule.model === null || rule.metric === 'parallel') continue;
      const family = rule.metric === 'requests' ? this.#families.keyRequestsLeft : this.#families.keyTokensLeft;
      const labels = [record.keyId ?? '', record.keyAlias ?? '', rule.model];
      family.series(labels).value = rateReservation.remaining[index] ?? 0;
    }
  }
}

const noLabels: readonly string[] = Object.freeze([]);
const labelLengthMax = 128;

function isSame(one: Names, other: Names): boolean {
  return (
    one.teamAlias === other.teamAlias &&
    one.userEmail === other.userEmail &&
    one.endUser === other.endUser &&
    (one.own === other.own || one.own.join('\u001f') === other.own.join('\u001f'))
  );
}

/** One attempt, and it succeeded under the names that stand in the record. */
function isPlain({ attempts, deploymentId, provider, modelUsed }: RequestRecord): boolean {
  if (attempts.length !== 1) return false;
  const only = attempts[0]!;
  return (
    only.result === 'success' &&
    only.deploymentId === deploymentId &&
    only.provider === provider &&
    only.model === modelUsed
  );
}

/** Names that no model has would make a series each, as many as a caller likes. */
function askedOf({ modelAsked, modelGroup }: RequestRecord): string {
  return modelAsked === null ? '' : modelGroup === null ? 'unknown' : modelAsked;
}

function keyLabels(record: RequestRecord, { teamAlias }: Names): string[] {
  return [record.keyId ?? '', record.keyAlias ?? '', record.teamId ?? '', teamAlias];
}

function addressOf(record: RequestRecord): string[] {
  return [
    record.modelGroup ?? '',
    record.provider ?? '',
    record.apiBase ?? '',
    record.modelUsed ?? '',
    record.keyId ?? '',
    record.keyAlias ?? '',
  ];
}

/** `metadata.foo` of the key, else of the request. */
function memberOf(path: string, record: RequestRecord, ofKey: Readonly<Record<string, unknown>>): string {
  const name = path.replace(/^metadata\./, '');
  const value = ofKey[name] ?? record.metadata[name];
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value).slice(0, labelLengthMax)
    : '';
}

function figureOf(value: string | string[] | undefined): number | null {
  if (typeof value !== 'string' || value === '') return null;
  const figure = Number(value);
  return Number.isFinite(figure) ? figure : null;
}

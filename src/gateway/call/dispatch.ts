import { chargeAt } from '../../core/charge.ts';
import type { AnswerOptions, StreamRelay } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import { type Admitted, letGoOfBody, type RouteGroup } from '../../core/exchange.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { BudgetDenial } from '../../core/limits.ts';
import { dollarsFromNanodollars, type Nanodollars } from '../../core/money.ts';
import type { BudgetPart, BudgetReservation, DispatchNote } from '../../core/ports.ts';
import { AuthorizationError, type OutgoingCall } from '../../core/provider.ts';
import type { Attempt } from '../../core/request-record.ts';
import type { Deployment } from '../../core/route.ts';
import type { WireBody } from '../../core/upload.ts';
import type { Usage } from '../../core/usage.ts';
import type { Gateway } from '../gateway.ts';
import { budgetExceeded, unpriceable } from '../limits/budget-refusal.ts';
import { amountAt, boundAt, boundOf } from '../limits/estimate.ts';
import { inputBytesOf } from '../limits/input-bound.ts';
import { ParallelSlot } from '../routing/parallel-slots.ts';
import { ContinuableStream } from '../streams/continuable-stream.ts';
import { TranslatedStream } from '../streams/translated-stream.ts';
import { Aside, type Errand, run } from './aside.ts';
import { type AttemptEnd, type AttemptFailure, UpstreamAttempt } from './attempt.ts';
import { withMarks } from './cache-marks.ts';
import type { CallTally } from './call-tally.ts';
import { endpointFor } from './caller-connection.ts';
import { noteOf } from './dispatch-note.ts';
import { followed } from './follow-up.ts';
import { providerError } from './provider-error.ts';
import { timeoutsFor } from './timeouts.ts';
import {
  answerOptions,
  dialectFor,
  requestBody,
  requestHeaders,
  spokenTo,
  type Target,
  upstreamModel,
} from './translate.ts';
import type { WalkEnd } from './walk.ts';
import { type WholeAnswer, wholeAnswer } from './whole-answer.ts';
import { hasWireBody, wireBody } from './wire-body.ts';

/** Sends one request's attempts: what is held and noted before the first byte leaves, and what came back. */
export class Dispatch {
  readonly #gateway: Gateway;
  readonly #exchange: Admitted;
  readonly #tally: CallTally;
  readonly #deadline: number;
  /** The deployment of the last note. */
  #notedFor: string | null = null;
  /** What is held on the budgets of the deployment that is being asked. */
  #part: BudgetPart | null = null;
  /** An earlier attempt may have been billed: the hold belongs to it, another one needs its own. */
  #holdUsed = false;
  #lastError: GatewayError | null = null;
  #begun: ContinuableStream | null = null;
  /** At the deployment that is to be asked; the attempt has it once there is one. */
  #slot: ParallelSlot | null = null;
  readonly #errands: Errand[] = [];

  constructor(gateway: Gateway, exchange: Admitted, tally: CallTally, deadline: number) {
    this.#gateway = gateway;
    this.#exchange = exchange;
    this.#tally = tally;
    this.#deadline = deadline;
  }

  /** A stream broke after its first content: what was held pays for it, another attempt needs its own. */
  brokeOff(error: GatewayError): void {
    this.#holdUsed = true;
    this.#lastError = error;
  }

  takeSlot(deployment: Deployment): void {
    this.#slot = new ParallelSlot(this.#gateway, deployment);
  }

  /** Where nothing was sent. */
  giveBackSlot(): void {
    this.#slot?.release();
    this.#slot = null;
  }

  /** Throws GatewayError when nothing could be sent. `begun` is an answer that the model is to go on with. */
  send(
    deployment: Deployment,
    group: RouteGroup,
    overrides: JsonObject | null,
    begun: ContinuableStream | null = null,
  ): Promise<WalkEnd> {
    this.#begun = begun;
    const prefix = begun?.prefix() ?? null;
    const exchange = this.#exchange;
    const dialect = dialectFor(this.#gateway, exchange, deployment);
    const target: Target = {
      deployment,
      group: group.name,
      endpoint: endpointFor(exchange, deployment),
      model: upstreamModel(deployment, group.wildcardMatches),
      dialect,
      speaks: spokenTo(exchange, deployment) ?? dialect.name,
      overrides: deployment.cacheMarks.length === 0 ? overrides : withMarks(exchange, deployment.cacheMarks, overrides),
      ...(prefix !== null && { prefix }),
    };
    const path = target.endpoint.path(target.speaks, target.model, exchange.facts.stream);
    const headers = requestHeaders(exchange, target, this.#tally.attempts.length);
    if (hasWireBody(exchange, target)) {
      const method = exchange.passThrough?.method ?? 'POST';
      return wireBody(exchange, target).then((body) =>
        this.#authorized(target, group, wireCall(target, method, path, headers, body)),
      );
    }
    const { origin } = target.endpoint;
    if (dialect.prepare !== undefined) return this.#prepared(target, group, path, headers);
    const made = requestBody(this.#gateway, exchange, target);
    if (made instanceof Promise) {
      return made.then((body) => this.#authorized(target, group, { method: 'POST', origin, path, headers, body }));
    }
    return this.#authorized(target, group, { method: 'POST', origin, path, headers, body: made });
  }

  /** What the dialect does at the provider first; nothing of it costs anything. */
  async #prepared(target: Target, group: RouteGroup, path: string, headers: readonly string[]): Promise<WalkEnd> {
    const exchange = this.#exchange;
    const aside = new Aside(this.#gateway, exchange, target, this.#deadline, this.#errands);
    let body: Buffer;
    try {
      body = await requestBody(this.#gateway, exchange, target, aside);
    } catch (cause) {
      if (exchange.client.gone) return { kind: 'gone' };
      if (cause instanceof GatewayError && cause.code.startsWith('upstream_')) {
        return this.#unsent(cause, target.deployment, group);
      }
      throw cause;
    } finally {
      aside.done();
    }
    return this.#authorized(target, group, { method: 'POST', origin: target.endpoint.origin, path, headers, body });
  }

  /** To be called when nothing of this request goes on any more. */
  tidy(): void {
    if (this.#errands.length > 0) run(this.#gateway, this.#errands.splice(0));
  }

  #authorized(target: Target, group: RouteGroup, call: Call): Promise<WalkEnd> {
    return target.endpoint.authorize === undefined
      ? this.#once(target, group, call, nothingAdded, false)
      : this.#signed(target, group, call);
  }

  async #signed(target: Target, group: RouteGroup, call: Call): Promise<WalkEnd> {
    let authorization: readonly string[];
    try {
      authorization = await target.endpoint.authorize!(call as OutgoingCall, this.#gateway.outside);
    } catch (cause) {
      return this.#unauthorized(cause, target.deployment, group);
    }
    return this.#once(target, group, call, authorization, false);
  }

  /** Nothing was sent: no token could be had. Another deployment may be asked, and this one rests like any that fails. */
  #unauthorized(cause: unknown, deployment: Deployment, group: RouteGroup): WalkEnd {
    if (!(cause instanceof AuthorizationError)) throw cause;
    const code = cause.unreachable ? 'upstream_unavailable' : 'upstream_authentication';
    const { secrets } = this.#exchange.snapshot;
    const error = providerError(code, deployment.provider, cause.message, secrets, { reason: 'no access token' });
    return this.#unsent(error, deployment, group);
  }

  #unsent(error: GatewayError, deployment: Deployment, group: RouteGroup): WalkEnd {
    const { health, clock } = this.#gateway;
    health.started(deployment);
    health.failed(deployment, error, this.#exchange.snapshot, group.candidates.length);
    return { kind: 'failed', error, final: clock.tick() >= this.#deadline };
  }

  async #once(
    target: Target,
    group: RouteGroup,
    call: Call,
    authorization: readonly string[],
    freshConnection: boolean,
  ): Promise<WalkEnd> {
    const exchange = this.#exchange;
    if (exchange.client.gone) return { kind: 'gone' };
    const held = this.#hold(target);
    const refused = held instanceof Promise ? await held : held;
    if (refused) return refused;
    // It may have left while money was found: nothing is sent, and nothing is owed.
    if (exchange.client.gone) return { kind: 'gone' };
    const { deployment, dialect } = target;
    const keptBy = dialect === exchange.dialect ? deployment : null;
    const plainly = answerOptions(exchange, this.#tally.fallbacks > 0, keptBy);
    const mergesReasoning = exchange.options.mergesReasoning ?? deployment.mergesReasoning;
    const told = mergesReasoning ? { ...plainly, mergesReasoning } : plainly;
    const { settings } = exchange.snapshot;
    const options = settings.costInStreams && exchange.facts.stream ? withCost(told, deployment, exchange) : told;
    const timeouts = timeoutsFor(exchange, deployment);
    const mayFlow = exchange.facts.stream || exchange.dialect.rawAnswer !== undefined;
    const relay = mayFlow ? (contentType: string) => this.#relay(target, options, contentType) : null;
    const attempt = new UpstreamAttempt(
      this.#gateway,
      exchange,
      target,
      timeouts,
      this.#deadline,
      relay,
      authorization,
    );
    attempt.slot = this.#slot;
    this.#slot = null;
    this.#gateway.health.started(deployment);
    letGoOfBody(exchange);
    let end = await attempt.run({
      method: call.method,
      origin: call.origin,
      path: call.path,
      body: call.body,
      headers: authorization === nothingAdded ? call.headers : [...call.headers, ...authorization],
      connectTimeoutMs: timeouts.connectMs,
      freshConnection,
    });
    if (end.kind === 'whole' && dialect.followUp !== undefined) {
      end = await followed(this.#gateway, exchange, target, call.path, end.bytes, this.#deadline);
    }
    const judged = this.#judged(end, attempt, group, options);
    if (freshConnection || judged.kind !== 'failed' || !judged.staleConnection) return judged;
    // The provider was just closing a kept connection; a fresh one tells whether it is well.
    if (attempt.slot !== null) this.takeSlot(deployment);
    return this.#once(target, group, call, authorization, true);
  }

  #judged(
    end: AttemptEnd,
    attempt: UpstreamAttempt,
    group: RouteGroup,
    options: AnswerOptions,
  ): WalkEnd & { readonly staleConnection?: boolean } {
    const groupSize = group.candidates.length;
    this.#tally.providerHeaders = attempt.headers;
    this.#tally.modelUsed = attempt.target.model;
    switch (end.kind) {
      case 'gone': {
        // A whole answer that had begun to arrive was complete, and billed, at the provider.
        const ambiguous = !this.#exchange.facts.stream && attempt.status !== null && attempt.status < 300;
        this.#tally.ended(attempt, { ...plain, gone: true, ambiguous }, groupSize);
        this.#tally.usageSeen = ambiguous ? undefined : attempt.usageSeen;
        return end;
      }
      case 'stream':
        // Its attempt ends with the stream.
        return { kind: 'stream', stream: end.stream, groupSize };
      case 'failed':
        return this.#failed(end, attempt, groupSize);
      case 'whole':
        return this.#whole(end.bytes, attempt, groupSize, options);
    }
  }

  #whole(bytes: Buffer, attempt: UpstreamAttempt, groupSize: number, options: AnswerOptions): WalkEnd {
    const exchange = this.#exchange;
    let answer: WholeAnswer;
    try {
      answer = wholeAnswer(exchange, attempt, bytes, options);
      if (exchange.facts.stream && exchange.dialect.replay === undefined) {
        const body: unknown = JSON.parse(Buffer.from(answer.bytes).toString());
        if (!isJsonObject(body)) throw new GatewayError('internal', 'an answer that is no object');
        this.#tally.ended(attempt, { ...plain, usage: answer.facts.usage ?? null }, groupSize);
        return { kind: 'neutral', response: exchange.dialect.response.decode(body) };
      }
    } catch (cause) {
      const { provider } = attempt.target.deployment;
      const error =
        cause instanceof GatewayError
          ? cause
          : providerError('upstream_connection', provider, 'the answer is not in the expected format', []);
      return this.#failed({ kind: 'failed', error, ambiguous: true, staleConnection: false }, attempt, groupSize);
    }
    this.#tally.ended(attempt, { ...plain, usage: answer.facts.usage ?? null }, groupSize);
    return { kind: 'whole', attempt, answer };
  }

  #failed(
    failure: AttemptFailure,
    attempt: UpstreamAttempt,
    groupSize: number,
  ): WalkEnd & { readonly staleConnection: boolean } {
    const { ambiguous } = failure;
    const { upload } = this.#exchange;
    const error = upload?.failure ?? failure.error;
    // What was passed on and not kept cannot be sent again.
    const isSpent = upload?.isSpent ?? false;
    const staleConnection = failure.staleConnection && !isSpent;
    if (ambiguous) this.#holdUsed = true;
    else this.#giveBackPart();
    this.#lastError = error;
    this.#tally.ended(attempt, { ...plain, error, ambiguous }, groupSize);
    const final = isSpent || this.#gateway.clock.tick() >= this.#deadline;
    return { kind: 'failed', error, final, staleConnection };
  }

  #relay(target: Target, options: AnswerOptions, contentType: string): StreamRelay {
    const { dialect, facts, snapshot } = this.#exchange;
    if (dialect.rawAnswer !== undefined && !contentType.startsWith('text/event-stream')) {
      return dialect.rawAnswer(options, contentType);
    }
    if (this.#begun !== null) {
      this.#begun.continueWith(target.dialect.streamDecoder());
      return this.#begun;
    }
    if (snapshot.router.continuesStreams && this.#exchange.operation === 'chat' && facts.choices === 1) {
      return new ContinuableStream(target.dialect.streamDecoder(), dialect.streamEncoder(options));
    }
    if (target.dialect === dialect) return dialect.relay(options);
    return new TranslatedStream(target.dialect.streamDecoder(), dialect.streamEncoder(options));
  }

  /** Money for this attempt, on record before its first byte leaves. An end when it must not leave. */
  #hold(target: Target): null | Promise<void> | Promise<WalkEnd | null> {
    const { reservation } = this.#exchange;
    if (reservation === null) return null;
    if (this.#holdUsed || target.deployment.budgets.length > 0) return this.#holdMore(reservation, target);
    this.#part = null;
    return this.#note(reservation, target, false);
  }

  /** Another purchase, or one that the deployment's own budgets must have room for. */
  async #holdMore(reservation: BudgetReservation, target: Target): Promise<WalkEnd | null> {
    const bought = this.#holdUsed;
    if (bought) {
      const extended = this.#gateway.ledger.extend(reservation, this.#boundOfNext(this.#exchange.bound, target));
      if (!(typeof extended === 'boolean' ? extended : await extended)) {
        // The budget holds no second purchase: the first one's failure is the answer.
        return { kind: 'failed', error: this.#lastError as GatewayError, final: true };
      }
      this.#holdUsed = false;
    }
    this.#part = null;
    if (target.deployment.budgets.length > 0) {
      const refused = await this.#holdPart(reservation, target.deployment);
      if (refused !== null) return refused;
    }
    const noted = this.#note(reservation, target, bought);
    if (noted !== null) await noted;
    return null;
  }

  /** null: it is on record already. */
  #note(reservation: BudgetReservation, target: Target, bought: boolean): null | Promise<void> {
    const { id } = target.deployment;
    if (this.#notedFor === id && !bought && this.#part === null) return null;
    this.#notedFor = id;
    return this.#gateway.ledger.dispatched(reservation, this.#noteOf(target)) ?? null;
  }

  /** A begun answer is read again as input. */
  #boundOfNext(bound: Nanodollars, { prefix }: Target): Nanodollars {
    if (prefix === undefined) return bound;
    const exchange = this.#exchange;
    const inputBytes = inputBytesOf(exchange) + Buffer.byteLength(prefix);
    return boundOf(exchange, exchange.clampedOutputTokens, inputBytes).amount;
  }

  /** Room in the budgets of the deployment and its provider. Not null when another deployment must be found. */
  async #holdPart(reservation: BudgetReservation, deployment: Deployment): Promise<WalkEnd | null> {
    const { amount, unpriced, unbounded } = boundAt(this.#exchange, deployment);
    if (unpriced !== null || unbounded !== null) {
      const error = unpriceable(unpriced, unbounded, deployment.budgets[0]!);
      return { kind: 'failed', error, overBudget: true };
    }
    const { ledger, clock } = this.#gateway;
    const answer = ledger.attach(reservation, deployment.budgets, amount);
    const part = answer instanceof Promise ? await answer : answer;
    if (isDenial(part)) {
      return { kind: 'failed', error: budgetExceeded(part, this.#exchange, clock.now()), overBudget: true };
    }
    this.#part = part;
    return null;
  }

  #giveBackPart(): void {
    const { reservation } = this.#exchange;
    if (this.#part === null || reservation === null) return;
    this.#gateway.ledger.detach(reservation, this.#part);
    this.#part = null;
  }

  #noteOf(target: Target): DispatchNote {
    const note = noteOf(this.#exchange, target);
    if (this.#part === null && this.#tally.ambiguousCost === 0) return note;
    return { ...note, attempts: this.#purchases(target) };
  }

  /** What was bought and not seen to its end, and what is about to be. */
  #purchases({ deployment, group, model }: Target): readonly Attempt[] {
    const open: Attempt = {
      deploymentId: deployment.id,
      group,
      provider: deployment.provider.id,
      model,
      startedAt: this.#gateway.clock.now(),
      durationMs: 0,
      status: null,
      result: 'outcome_unknown',
      ambiguous: true,
      charged: amountAt(this.#exchange, deployment),
    };
    return [...this.#tally.attempts.filter(({ charged }) => charged > 0), open];
  }
}

const nothingAdded: readonly string[] = [];

function withCost(options: AnswerOptions, deployment: Deployment, { snapshot, receivedAt }: Admitted): AnswerOptions {
  const costOf = (usage: Usage) =>
    dollarsFromNanodollars(chargeAt(usage, deployment, snapshot.settings, receivedAt).charged);
  return { ...options, costOf };
}

/** A stream of a body only where nothing is to be signed. */
type Call = Omit<OutgoingCall, 'body'> & { readonly body: WireBody['bytes'] | null };

/** A call whose body has a content type of its own. */
function wireCall(
  { endpoint }: Target,
  method: Call['method'],
  path: string,
  headers: readonly string[],
  body: WireBody,
): Call {
  const own = headers.slice();
  own[own.indexOf('content-type') + 1] = body.contentType;
  if (body.length !== undefined && !(body.bytes instanceof Uint8Array)) own.push('content-length', String(body.length));
  const { addressTail = '' } = body;
  const bytes = body.length === 0 && method !== 'POST' ? null : body.bytes;
  return { method, origin: endpoint.origin, path: joined(path, addressTail), headers: own, body: bytes };
}

/** A tail of segments goes before the query of a path, one of parameters behind it. */
function joined(path: string, tail: string): string {
  if (tail === '') return path;
  const [segments = '', ownQuery = ''] = tail.split('?', 2);
  const [plain = '', query = ''] = path.split('?', 2);
  const parameters = [query, ownQuery].filter((part) => part !== '').join('&');
  return plain + segments + (parameters === '' ? '' : `?${parameters}`);
}

function isDenial(answer: BudgetPart | BudgetDenial): answer is BudgetDenial {
  return 'rule' in answer;
}

const plain = { error: null, ambiguous: false, gone: false, usage: null, firstTokenMs: null };

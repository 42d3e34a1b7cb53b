import { asGatewayError, GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { SocketPeer, UpstreamSocket } from '../../core/ports.ts';
import type { Deployment } from '../../core/route.ts';
import { noUsage } from '../../core/usage.ts';
import type { Arrival } from '../arrival.ts';
import { providerError } from '../call/provider-error.ts';
import { upstreamModel } from '../call/translate.ts';
import { authorized } from '../free/ask-provider.ts';
import type { Gateway } from '../gateway.ts';
import { pickDeployment } from '../plan.ts';
import { Slice } from './slice.ts';

const unsentBytesMax = 1024 * 1024;
const goingAway = 1001;
const refusedByPolicy = 1008;
const internalError = 1011;
const nothing = new Uint8Array(0);
const ofBudget: ReadonlySet<string> = new Set(['deployments_over_budget', 'budget_unpriceable']);
const normal = 1000;
/** Messages of the client that wait while money is asked for. */
const waitingMax = 1_000;

/**
 * A realtime session: two WebSockets with the gateway between them. It is admitted in slices of one turn. One slice is
 * always held in advance, because a provider that listens begins turns on its own; when none can be had any more, the turn
 * that is under way is finished and the session ends with the reason.
 */
export class RealtimeSession {
  readonly #gateway: Gateway;
  readonly #arrival: Arrival;
  readonly #client: SocketPeer;
  /** The first thing that the provider hears. */
  readonly #opening: string | null;
  #upstream: UpstreamSocket | null = null;
  #deployment: Deployment | null = null;
  #model = '';
  #spare: Slice | null = null;
  /** Turns under way, by the id of their response. */
  readonly #active = new Map<string, Slice>();
  #granting: Promise<void> | null = null;
  #refusal: GatewayError | null = null;
  readonly #waiting: string[] = [];
  #isForwarding = false;
  #isDraining = false;
  #isOver = false;

  constructor(gateway: Gateway, arrival: Arrival, client: SocketPeer, opening: string | null) {
    this.#gateway = gateway;
    this.#arrival = arrival;
    this.#client = client;
    this.#opening = opening;
  }

  /** Never rejects. */
  async begin(): Promise<void> {
    try {
      this.#spare = await Slice.grant(this.#gateway, this.#arrival);
      await this.#connect(this.#spare);
      void this.#forward();
    } catch (cause) {
      const error = asGatewayError(cause);
      this.#spare?.end('failure', noUsage, error);
      this.#spare = null;
      this.#end(error);
    }
  }

  /** Nothing new is begun; the turn under way is finished. */
  drain(): void {
    this.#isDraining = true;
    if (this.#active.size === 0) this.#end(null);
  }

  interrupt(): void {
    this.#end(
      new GatewayError('shutting_down', 'The gateway is stopping and could not wait for the end of this session.'),
    );
  }

  // ── From the client ───────────────────────────────────────────────────────────────────────────────────────────────

  clientSaid(text: string): void {
    if (this.#isOver || this.#isDraining) return;
    if (this.#waiting.length >= waitingMax) {
      this.#end(new GatewayError('overloaded', `More than ${waitingMax} messages wait to be sent on.`));
      return;
    }
    this.#waiting.push(text);
    void this.#forward();
  }

  clientLeft(): void {
    this.#end(null);
  }

  async #forward(): Promise<void> {
    if (this.#isForwarding || this.#upstream === null) return;
    this.#isForwarding = true;
    for (let text = this.#waiting.shift(); text !== undefined && !this.#isOver; text = this.#waiting.shift()) {
      // Only a turn costs; everything else is free to be said.
      if (text.includes('response.create') && typeOf(text) === 'response.create' && this.#spare === null) {
        await this.#grant();
        if (this.#spare === null) break;
      }
      if (this.#isOver) break;
      const upstream = this.#upstream;
      if (upstream.send(text) > unsentBytesMax) {
        this.#client.pause();
        await upstream.drained();
        this.#client.resume();
      }
    }
    this.#isForwarding = false;
  }

  // ── From the provider ─────────────────────────────────────────────────────────────────────────────────────────────

  #upstreamSaid(text: string): void {
    if (this.#isOver) return;
    this.#notice(text);
    if (this.#isOver) return;
    if (this.#client.send(text) > unsentBytesMax) {
      this.#upstream?.pause();
      void this.#client.drained().then(() => this.#upstream?.resume());
    }
    this.#settleDown();
  }

  #notice(text: string): void {
    // Sound makes up nearly everything that is said, and means nothing here.
    if (!text.includes('"response.created"') && !text.includes('"response.done"')) return;
    const event = parsed(text);
    if (event === undefined || !isJsonObject(event.response)) return;
    const id = String(event.response.id ?? '');
    if (event.type === 'response.created') this.#turnBegan(id);
    else if (event.type === 'response.done') this.#turnEnded(id, event);
  }

  #turnBegan(id: string): void {
    const slice = this.#spare;
    if (slice === null) {
      // The provider began on its own what nobody can pay for.
      this.#upstream?.send(JSON.stringify({ type: 'response.cancel', response_id: id }));
      this.#end(this.#refusal ?? new GatewayError('budget_exceeded', 'There is no room for another turn.'));
      return;
    }
    this.#spare = null;
    this.#active.set(id, slice);
    void this.#grant();
  }

  #turnEnded(id: string, event: JsonObject): void {
    const slice = this.#active.get(id) ?? this.#spare;
    if (slice === null) return;
    if (slice === this.#spare) this.#spare = null;
    this.#active.delete(id);
    const { usage } = this.#arrivalDialect().response.read(event);
    slice.end('success', usage ?? null);
    if (this.#spare === null) {
      this.#refusal = null;
      void this.#grant();
    }
  }

  #upstreamClosed(code: number, reason: string): void {
    if (this.#isOver) return;
    const provider = this.#deployment?.provider;
    const error =
      provider === undefined || code === normal || code === goingAway
        ? null
        : providerError(
            'upstream_connection',
            provider,
            `closed the session (${code}${reason === '' ? '' : `: ${reason}`})`,
            [...this.#gateway.snapshot().secrets],
          );
    this.#end(error);
  }

  // ── Money ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sees to it that a slice is held in advance, or that it is known why there is none. */
  #grant(): Promise<void> {
    this.#granting ??= this.#oneMore().finally(() => {
      this.#granting = null;
      this.#settleDown();
    });
    return this.#granting;
  }

  async #oneMore(): Promise<void> {
    if (this.#spare !== null || this.#isOver) return;
    try {
      const slice = await Slice.grant(this.#gateway, this.#arrival);
      try {
        await slice.claim(this.#deployment!);
      } catch (cause) {
        slice.end('success', noUsage);
        throw cause;
      }
      slice.dispatched(this.#deployment!, slice.admitted.route.primary.name, this.#model);
      if (this.#isOver || this.#spare !== null) slice.end('success', noUsage);
      else this.#spare = slice;
    } catch (cause) {
      this.#refusal = asGatewayError(cause);
    }
  }

  /** Ends what cannot go on once nothing is under way. */
  #settleDown(): void {
    if (this.#isOver || this.#active.size > 0 || this.#granting !== null) return;
    if (this.#isDraining) this.#end(null);
    else if (this.#spare === null && this.#refusal !== null) this.#end(this.#refusal);
  }

  // ── Beginning and end ─────────────────────────────────────────────────────────────────────────────────────────────

  async #connect(slice: Slice): Promise<void> {
    const { admitted } = slice;
    const { primary } = admitted.route;
    const tried = new Set<string>();
    for (let last: GatewayError | null = null; ; ) {
      const picked = pickDeployment(this.#gateway, admitted, primary, tried);
      if (picked === 'none' || !('id' in picked)) {
        throw last ?? new GatewayError('no_capable_deployment', `No deployment of ${primary.name} can be reached.`);
      }
      tried.add(picked.id);
      try {
        const model = upstreamModel(picked, primary.wildcardMatches);
        await slice.claim(picked);
        this.#upstream = await this.#open(picked, model);
        if (this.#opening !== null) this.#upstream.send(this.#opening);
        this.#deployment = picked;
        this.#model = model;
        slice.dispatched(picked, primary.name, model);
        if (this.#isOver) this.#upstream.close(goingAway, '');
        return;
      } catch (cause) {
        slice.giveBack();
        last = asGatewayError(cause);
        // Its budget is used up: it is not at fault.
        if (ofBudget.has(last.code)) continue;
        this.#gateway.health.started(picked);
        this.#gateway.health.failed(picked, last, admitted.snapshot, primary.candidates.length);
      }
    }
  }

  async #open(deployment: Deployment, model: string): Promise<UpstreamSocket> {
    const { endpoint, provider } = deployment;
    const { dialect, timeouts } = {
      dialect: this.#arrivalDialect(),
      timeouts: this.#gateway.snapshot().settings.timeouts,
    };
    if (!provider.dialects.realtime?.includes(dialect.name)) {
      throw new GatewayError('no_capable_deployment', `${provider.name} does not offer realtime sessions.`);
    }
    const path = endpoint.path(dialect.name, model, true);
    const named = path.includes('deployment=')
      ? path
      : `${path}${path.includes('?') ? '&' : '?'}model=${encodeURIComponent(model)}`;
    const beta = this.#arrival.headers['openai-beta'];
    const headers = typeof beta === 'string' ? [...endpoint.headers, 'openai-beta', beta] : endpoint.headers;
    const call = { method: 'GET', origin: endpoint.origin, path: named, headers, body: nothing } as const;
    const authorization = await authorized(this.#gateway, deployment, call);
    try {
      return await this.#gateway.sockets.connect(
        {
          origin: endpoint.origin,
          path: named,
          headers: [...headers, ...authorization],
          connectTimeoutMs: timeouts.connectMs,
        },
        {
          onText: (text) => this.#upstreamSaid(text),
          onClose: (code, reason) => this.#upstreamClosed(code, reason),
        },
      );
    } catch (cause) {
      const { message, status = 0 } = cause as Error & { status?: number };
      const code =
        status === 401 ? 'upstream_authentication' : status === 429 ? 'upstream_rate_limited' : 'upstream_connection';
      throw providerError(code, provider, message, this.#gateway.snapshot().secrets);
    }
  }

  #arrivalDialect() {
    return this.#gateway.dialects.get(this.#arrival.matched.route.dialect)!;
  }

  /** The client is told why, both connections are closed, every slice is settled. */
  #end(error: GatewayError | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error !== null) this.#client.send(JSON.stringify(toldError(error)));
    this.#client.close(closeCode(error, this.#isDraining), error?.message ?? '');
    this.#upstream?.close(normal, '');
    // What was begun and never ended may be billed in full.
    for (const slice of this.#active.values()) slice.end('aborted', null);
    this.#active.clear();
    this.#spare?.end('success', noUsage);
    this.#spare = null;
  }
}

function closeCode(error: GatewayError | null, isDraining: boolean): number {
  if (error === null) return isDraining ? goingAway : normal;
  if (error.code === 'shutting_down') return goingAway;
  return error.status >= 500 ? internalError : refusedByPolicy;
}

/** As this format tells errors. */
function toldError(error: GatewayError): JsonObject {
  const { message, type, code, details } = error;
  return { type: 'error', event_id: `event_${code}`, error: { type, code, message, param: details.param ?? null } };
}

function typeOf(text: string): unknown {
  return parsed(text)?.type;
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

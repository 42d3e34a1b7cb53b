import type { CallAside, CallsAside, EncodeOptions } from '../../core/dialect.ts';
import { asGatewayError, GatewayError } from '../../core/errors.ts';
import type { Admitted } from '../../core/exchange.ts';
import { formBody } from '../../core/form.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ProviderEndpoint } from '../../core/provider.ts';
import type { Deployment } from '../../core/route.ts';
import { askForBytes, askProvider, type Question } from '../free/ask-provider.ts';
import type { Gateway } from '../gateway.ts';
import { providerError, timeoutError } from './provider-error.ts';
import { encodeOptions, type Target } from './translate.ts';

/** Nobody waits longer for a call that only prepares one. */
const patienceMs = 60_000;
/** As many media as are fetched for one request, and what is asked besides. */
const callsMax = 24;
const knownForMs = 3_600_000;
const knownMax = 500;

interface Known {
  readonly answer: Promise<JsonObject>;
  readonly until: number;
}

const known = new WeakMap<ProviderEndpoint, Map<string, Known>>();

/** What a dialect does at its provider before an attempt; given up when the client leaves. */
export class Aside implements CallsAside {
  readonly path: string;
  readonly options: EncodeOptions;
  readonly #gateway: Gateway;
  readonly #exchange: Admitted;
  readonly #target: Target;
  readonly #deadline: number;
  readonly #later: Errand[];
  readonly #client = new AbortController();
  #calls = 0;

  /** `later` takes what is to be called when the request is over. */
  constructor(gateway: Gateway, exchange: Admitted, target: Target, deadline: number, later: Errand[]) {
    this.#gateway = gateway;
    this.#exchange = exchange;
    this.#target = target;
    this.#deadline = deadline;
    this.#later = later;
    this.path = target.endpoint.path(target.speaks, target.model, exchange.facts.stream);
    this.options = encodeOptions(exchange, target);
  }

  async ask(call: CallAside): Promise<JsonObject> {
    this.#calls += 1;
    if (this.#calls > callsMax) {
      const message = `The request holds more images or files than are handed over for one: at most ${callsMax}.`;
      throw new GatewayError('malformed_request', message, { param: 'messages' });
    }
    this.#exchange.client.onGone(() => this.#client.abort());
    return this.#asked({ ...questionOf(call), patienceMs: this.#leftMs(), signal: this.#client.signal });
  }

  known(call: CallAside): Promise<JsonObject> {
    const { endpoint } = this.#target;
    const now = this.#gateway.clock.tick();
    const answers = known.get(endpoint) ?? new Map<string, Known>();
    known.set(endpoint, answers);
    const earlier = answers.get(call.path);
    if (earlier !== undefined && earlier.until > now) return this.#waitedFor(earlier.answer);
    const answer = this.#asked({ ...questionOf(call), patienceMs });
    if (answers.size >= knownMax) answers.clear();
    answers.set(call.path, { answer, until: now + knownForMs });
    // A refusal says nothing to the next one.
    answer.catch(() => answers.delete(call.path));
    return this.#waitedFor(answer);
  }

  #asked(question: Question): Promise<JsonObject> {
    return askProvider(this.#gateway, placeOf(this.#target), this.#target.dialect, question);
  }

  #leftMs(): number {
    return Math.max(1, Math.min(patienceMs, this.#deadline - this.#gateway.clock.tick()));
  }

  /** Others may wait for the same answer: it is not given up when this caller leaves, or has no time left. */
  #waitedFor(answer: Promise<JsonObject>): Promise<JsonObject> {
    const { provider } = this.#target.deployment;
    const leftMs = this.#leftMs();
    return new Promise<JsonObject>((resolve, reject) => {
      const timer = this.#gateway.clock.setTimer(leftMs, () =>
        reject(timeoutError(provider, 'no complete answer', leftMs)),
      );
      const left = () => reject(providerError('upstream_connection', provider, 'the client left', []));
      this.#exchange.client.onGone(() => this.#client.abort());
      this.#client.signal.addEventListener('abort', left, { once: true });
      answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  afterwards(call: CallAside): void {
    this.#later.push({ target: this.#target, call });
  }

  /** The attempt itself listens for the client from here on. */
  done(): void {
    this.#exchange.client.onGone(null);
  }
}

/** What is tidied at a provider once the request is over; nobody waits, and no caller is told. */
export interface Errand {
  readonly target: Target;
  readonly call: CallAside;
}

export function run(gateway: Gateway, errands: readonly Errand[]): void {
  for (const { target, call } of errands) {
    askForBytes(gateway, placeOf(target), target.dialect, questionOf(call)).catch((cause: unknown) => {
      const { id } = target.deployment;
      gateway.log.warn('a file that was handed over for a request is still at its provider', {
        deployment: id,
        reason: asGatewayError(cause).message,
      });
    });
  }
}

/** As whom the request itself goes. */
export function placeOf({ deployment, endpoint }: Target): Deployment {
  return endpoint === deployment.endpoint ? deployment : { ...deployment, endpoint };
}

function questionOf({ method, path, form }: CallAside): Question {
  if (form === undefined) return { method, path, body: null };
  const { bytes, contentType } = formBody(form);
  return { method, path, body: bytes as Buffer, contentType };
}

import { GatewayError } from '../../core/errors.ts';
import type { Admitted, Outcome, Recall, Reply } from '../../core/exchange.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Timer } from '../../core/ports.ts';
import { Presence } from '../../core/presence.ts';
import type { Gateway } from '../gateway.ts';
import { keptAnswer } from './keep.ts';

/** Work whose process has not said for so long that it goes on is taken for dead. */
const leaseMs = 30_000;
const beatMs = 2_500;

/** Stands in for the caller of work that goes on without it. */
export class Absent extends Presence {}

/** Work in the background of this process, by the id of its answer. */
export class BackgroundWork {
  readonly #running = new Map<string, Absent>();
  #onIdle: (() => void) | null = null;
  /** What ends from now on, ends because the gateway stops. */
  isClosing = false;

  begin(id: string, absent: Absent): void {
    this.#running.set(id, absent);
  }

  end(id: string): void {
    this.#running.delete(id);
    if (this.#running.size === 0) this.#onIdle?.();
  }

  /** Stops everything, and resolves when what it cost is settled. */
  async close(): Promise<void> {
    this.isClosing = true;
    for (const absent of this.#running.values()) absent.leave();
    if (this.#running.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  /** False when it does not run here. */
  cancel(id: string): boolean {
    const absent = this.#running.get(id);
    absent?.leave();
    return absent !== undefined;
  }
}

/** Throws GatewayError where a request cannot be worked on in the background. */
export function requireBackground(gateway: Gateway, { facts }: Pick<Admitted, 'facts'>, recall: Recall): void {
  const problem =
    gateway.kept === null
      ? 'this gateway keeps no answers (general_settings.store_responses is false), so it could not be asked for later'
      : facts.stream
        ? 'it cannot be combined with stream: ask for the answer later with GET /v1/responses/{id}'
        : !recall.wishes.keeps
          ? 'it needs store: true, for the answer must be kept until it is asked for'
          : undefined;
  if (problem !== undefined)
    throw new GatewayError('malformed_request', `background: ${problem}`, { param: 'background' });
}

/**
 * Admitted work goes on while its caller has the receipt. What it costs is held, settled and recorded like any other
 * request's; only the answer waits in the store. `work` makes the reply and finishes the journey.
 */
export async function inBackground(
  gateway: Gateway,
  admitted: Admitted,
  recall: Recall,
  work: () => Promise<Reply>,
): Promise<JsonObject> {
  const absent = admitted.client as Absent;
  const runningUntil = gateway.clock.now() + leaseMs;
  const queued = receipt(gateway, admitted, recall, 'queued', null);
  await gateway.kept!.put([keptAnswer(gateway, admitted, recall, queued, [], runningUntil)]);
  gateway.background.begin(recall.ownId, absent);
  const watch = new Watch(gateway, admitted, recall, queued);
  void work()
    .then(async (reply) => {
      const outcome = await reply.outcome;
      await watch.end();
      await keepEnd(gateway, admitted, recall, reply, outcome);
    })
    .catch((cause: Error) => {
      gateway.log.error('background work failed inside the gateway', { requestId: admitted.id, cause: cause.message });
    })
    .finally(() => {
      void watch.end();
      gateway.background.end(recall.ownId);
    });
  return queued;
}

/** Says from time to time that the work goes on, and hears whether it is unwanted in the meantime, wherever that was said. */
class Watch {
  readonly #gateway: Gateway;
  readonly #admitted: Admitted;
  readonly #recall: Recall;
  readonly #queued: JsonObject;
  #timer: Timer | null = null;
  #look: Promise<void> = Promise.resolve();
  #saidUntil: number;
  #isOver = false;

  constructor(gateway: Gateway, admitted: Admitted, recall: Recall, queued: JsonObject) {
    this.#gateway = gateway;
    this.#admitted = admitted;
    this.#recall = recall;
    this.#queued = queued;
    this.#saidUntil = gateway.clock.now() + leaseMs;
    this.#next();
  }

  /** Resolves when nothing of it is written any more. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#timer?.cancel();
    await this.#look;
  }

  #next(): void {
    this.#timer = this.#gateway.clock.setTimer(beatMs, () => {
      this.#look = this.#beat()
        .catch((cause: Error) => this.#gateway.log.warn('background work cannot be kept', { reason: cause.message }))
        .then(() => {
          if (!this.#isOver) this.#next();
        });
    });
  }

  async #beat(): Promise<void> {
    const { clock, kept } = this.#gateway;
    const { owner, ownId } = this.#recall;
    if ((await kept!.find(owner, unwantedId(ownId))) !== undefined) {
      (this.#admitted.client as Absent).leave();
      return;
    }
    const now = clock.now();
    if (this.#isOver || this.#saidUntil - now > leaseMs / 2) return;
    this.#saidUntil = now + leaseMs;
    await kept!.put([keptAnswer(this.#gateway, this.#admitted, this.#recall, this.#queued, [], this.#saidUntil)]);
  }
}

/** Says to whichever process works on it that an answer is not wanted any more. */
export async function unwanted(gateway: Gateway, owner: string, id: string): Promise<void> {
  const expiresAt = gateway.clock.now() + 24 * 3_600_000;
  const mark = { kind: 'answer-unwanted', owner, parent: null, position: 0, body: '{}', expiresAt };
  await gateway.kept!.put([{ id: unwantedId(id), ...mark }]);
}

function unwantedId(id: string): string {
  return `unwanted:${id}`;
}

async function keepEnd(
  gateway: Gateway,
  admitted: Admitted,
  recall: Recall,
  reply: Reply,
  outcome: Outcome,
): Promise<void> {
  if (outcome.kind === 'success' && reply.body instanceof Uint8Array) {
    const answer: unknown = JSON.parse(Buffer.from(reply.body).toString());
    if (isJsonObject(answer)) {
      const told = { ...answer, id: recall.ownId, background: true };
      const output = admitted.dialect.continuation?.output(answer) ?? [];
      await gateway.kept!.put([keptAnswer(gateway, admitted, recall, told, output)]);
      return;
    }
  }
  const isStopped = outcome.kind === 'aborted' && gateway.background.isClosing;
  const ending = outcome.kind === 'aborted' && !isStopped ? 'cancelled' : 'failed';
  const error = isStopped ? stoppedError() : outcome.error;
  await gateway.kept!.put([
    keptAnswer(gateway, admitted, recall, receipt(gateway, admitted, recall, ending, error), []),
  ]);
}

/** Nobody cancelled it, and nobody will finish it. */
export function stoppedError(): GatewayError {
  return new GatewayError('shutting_down', 'The gateway stopped while it worked on this answer. Ask again.');
}

function receipt(
  { clock }: Gateway,
  { dialect, facts, model }: Admitted,
  recall: Recall,
  status: 'queued' | 'cancelled' | 'failed',
  error: GatewayError | null,
): JsonObject {
  return dialect.continuation!.withoutOutput({
    id: recall.ownId,
    request: recall.asked,
    model: facts.model ?? model,
    status,
    error,
    createdAt: Math.floor(clock.now() / 1_000),
  });
}

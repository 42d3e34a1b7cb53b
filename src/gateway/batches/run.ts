import type { BatchAnswer, BatchState } from '../../core/batch-desk.ts';
import type { Reply } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import type { KeptObject, ObjectStore, Timer } from '../../core/ports.ts';
import type { Gateway } from '../gateway.ts';
import { Absent } from '../kept/background.ts';
import { serve } from '../pipeline.ts';
import { activeObject, type Batch, batchObject, keptMs, leaseMs, readBatch } from './batch.ts';
import type { OpenDesk } from './desk.ts';
import type { BatchWork } from './lines.ts';
import { recordOfWork } from './record.ts';
import { watchRemote } from './remote-run.ts';
import { resultFile } from './result-files.ts';
import type { SetAside } from './set-aside.ts';
import { type LineBound, type LostAnswer, settleLine } from './settle-line.ts';
import { takeResults } from './take-results.ts';

/** Requests of one batch under way at a time. */
const parallelMax = 8;
const renewMs = 2_500;
const waitMsMax = 60_000;
const triesMax = 20;

/** Refusals that pass: the line waits and is sent again. */
const passing: ReadonlySet<string> = new Set([
  'rate_limited',
  'upstream_rate_limited',
  'all_cooling_down',
  'overloaded',
]);

/** By line: under which model its money is set aside, and how much. */
export type Bounds = readonly LineBound[];

export interface RunParts {
  readonly batch: Batch;
  readonly work: BatchWork;
  readonly money: SetAside;
  readonly bounds: Bounds;
  /** Places of requests whose results are kept. */
  readonly done: Set<number>;
  /** Where the provider runs it itself; null as well where nobody is left who could ask there, which is in doubt then. */
  readonly open: OpenDesk | null;
  /** Why nobody knows whether the provider took it; null where that is known. */
  readonly doubt: string | null;
}

/** One batch at work here: a few requests at a time, or all of them at their provider. */
export class BatchRun {
  readonly batch: Batch;
  readonly finished: Promise<void>;
  readonly #gateway: Gateway;
  readonly #objects: ObjectStore;
  readonly #runner: string;
  readonly #parts: RunParts;
  readonly #waits = new Set<() => void>();
  #next = 0;
  /** `left`: this process stops; `ended`: no more of it is wanted. */
  #stop: 'left' | 'ended' | null = null;
  #renewal: Timer | null = null;

  constructor(gateway: Gateway, objects: ObjectStore, runner: string, parts: RunParts) {
    this.#gateway = gateway;
    this.#objects = objects;
    this.#runner = runner;
    this.#parts = parts;
    this.batch = parts.batch;
    this.finished = this.#all().catch((cause: Error) => {
      gateway.log.error('a batch broke inside the gateway', { batchId: this.batch.id, cause: cause.message });
    });
  }

  stop(): void {
    // A provider is asked to stop, and then for what it had done.
    if (this.batch.remote === undefined) this.#stop ??= 'ended';
    for (const wake of this.#waits) wake();
  }

  leave(): void {
    this.#stop ??= 'left';
    for (const wake of this.#waits) wake();
  }

  async #all(): Promise<void> {
    this.#renew();
    const { open, doubt } = this.#parts;
    const id = this.batch.remote?.id ?? null;
    if (doubt !== null) await this.#takeResults(open, untold(doubt));
    else if (open === null || id === null || !(await this.#remotely(open, id))) {
      if (this.batch.status === 'cancelling') this.stop();
      await Promise.all(Array.from({ length: parallelMax }, () => this.#worker()));
    }
    this.#renewal?.cancel();
    await this.#end();
  }

  /** False when the provider did nothing of it: it is run here then. */
  async #remotely(open: OpenDesk, id: string): Promise<boolean> {
    const gateway = this.#gateway;
    const end = await watchRemote(gateway, {
      batch: this.batch,
      open,
      id,
      pause: (delayMs) => this.#pause(delayMs),
      leaves: () => this.#stop === 'left',
      isUnwanted: () => this.batch.status === 'cancelling',
    });
    if (end.kind === 'refused') {
      gateway.log.warn('a batch is run here: its provider gave it back', {
        batchId: this.batch.id,
        reason: end.reason,
      });
      delete this.batch.remote;
      await this.#objects.put([batchObject(this.batch)]);
      return false;
    }
    if (end.kind === 'over') await this.#takeResults(open, end.state);
    if (end.kind === 'lost') await this.#takeResults(open, untold(end.reason));
    return true;
  }

  #takeResults(open: OpenDesk | null, told: BatchState): Promise<void> {
    const { batch, bounds, done } = this.#parts;
    return takeResults(
      this.#gateway,
      {
        batch,
        open,
        bounds,
        done,
        look: async () => {
          const id = batch.remote?.id ?? null;
          return open === null || id === null ? told : open.desk.look(open.ask, id);
        },
        settle: (answer) => this.#settle(open, answer),
        pause: (delayMs) => this.#pause(delayMs),
        stops: () => this.#stop !== null,
      },
      told,
    );
  }

  async #settle(open: OpenDesk | null, answer: BatchAnswer | LostAnswer): Promise<void> {
    const { batch, work, money, bounds, done } = this.#parts;
    const { index } = answer;
    const { status, body } = await settleLine(this.#gateway, { batch, work, money, bounds, open, answer });
    const result = told(work.lines[index]!.customId, batch.id, index, status, body);
    await this.#objects.put([resultObject(batch, index, result)]);
    done.add(index);
  }

  async #worker(): Promise<void> {
    const { work, done } = this.#parts;
    while (this.#stop === null && this.#next < work.lines.length) {
      const index = this.#next++;
      if (done.has(index)) continue;
      if (this.#gateway.clock.now() >= this.batch.expiresAt) {
        this.stop();
        return;
      }
      const result = await this.#line(index);
      if (result === null) return;
      const isGood = (result.response as JsonObject).status_code === 200;
      await this.#objects.put([resultObject(this.batch, index, result)]);
      if (isGood) this.batch.completed += 1;
      else this.batch.failed += 1;
    }
  }

  /** The result of a line; null when it was not sent because the run stops. */
  async #line(index: number): Promise<JsonObject | null> {
    const { work, money, bounds } = this.#parts;
    const { customId, body } = work.lines[index]!;
    const { model, bound } = bounds[index]!;
    for (let tries = 1; ; tries += 1) {
      const reply = await serve(this.#gateway, {
        matched: work.matched,
        path: work.path,
        query: '',
        headers: { 'content-type': 'application/json', ...this.batch.headers },
        bytes: Buffer.from(JSON.stringify(body)),
        clientAddress: null,
        client: new Absent(),
        arrivedTick: this.#gateway.clock.tick(),
        onBehalfOf: this.batch.keyId,
        funds: money.funds(model, bound),
      });
      const { error } = reply.origin;
      if (error === null || !passing.has(error.code) || tries >= triesMax)
        return told(customId, this.batch.id, index, reply.status, bodyOf(reply));
      const waitMs = Math.min(waitMsMax, Math.max(1_000, (error.details.retryAfterSeconds ?? 2 ** tries) * 1_000));
      await this.#pause(waitMs);
      if (this.#stop !== null) return null;
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel();
        this.#waits.delete(wake);
        resolve();
      };
      const timer = this.#gateway.clock.setTimer(delayMs, wake);
      this.#waits.add(wake);
    });
  }

  /** Says that this process is alive, and hears whether the batch was cancelled elsewhere. */
  #renew(): void {
    this.#renewal = this.#gateway.clock.setTimer(renewMs, () => {
      void this.#heartbeat()
        .catch((cause: Error) => this.#gateway.log.warn('a batch cannot be kept', { reason: cause.message }))
        .finally(() => {
          if (this.#stop === null) this.#renew();
        });
    });
  }

  async #heartbeat(): Promise<void> {
    const kept = await readBatch(this.#objects, this.batch.id);
    if (kept?.status === 'cancelling' && this.batch.status !== 'cancelling') {
      this.batch.status = 'cancelling';
      this.batch.cancelAskedAt = kept.cancelAskedAt ?? this.#gateway.clock.now();
      this.stop();
      if (this.#stop !== null) return;
    }
    const until = this.#gateway.clock.now() + leaseMs;
    await this.#objects.put([batchObject(this.batch), activeObject(this.batch, this.#runner, until)]);
  }

  async #end(): Promise<void> {
    const { batch } = this;
    const now = this.#gateway.clock.now();
    this.#parts.money.end((id) => recordOfWork(batch, id, now));
    if (this.#stop === 'left') {
      await this.#objects.put([batchObject(batch), activeObject(batch, this.#runner, 0)]);
      return;
    }
    const results = await this.#objects.children(batch.id);
    const { files, outputFileId, errorFileId } = resultFile(batch, results, now);
    // Whoever hears that it is over may ask for them at once.
    if (files.length > 0) await this.#objects.put(files);
    batch.outputFileId = outputFileId;
    batch.errorFileId = errorFileId;
    batch.completed = results.filter(({ kind }) => kind === 'batch-result').length;
    batch.failed = results.length - batch.completed;
    batch.status = batch.status === 'cancelling' ? 'cancelled' : results.length < batch.total ? 'expired' : 'completed';
    batch.endedAt = now;
    await this.#objects.put([batchObject(batch)]);
    await this.#objects.remove([`active:${batch.id}`]);
  }
}

/** Over, and none of it can be read. */
function untold(doubt: string): BatchState {
  return { isOver: true, refusal: null, doubt, completed: 0, failed: 0, resultsAt: [] };
}

function resultObject(batch: Batch, index: number, result: JsonObject): KeptObject {
  const isGood = (result.response as JsonObject).status_code === 200;
  return {
    id: `${batch.id}:${index}`,
    kind: isGood ? 'batch-result' : 'batch-error',
    owner: batch.owner,
    parent: batch.id,
    position: index,
    body: JSON.stringify(result),
    expiresAt: batch.createdAt + keptMs,
  };
}

function told(customId: string, batchId: string, index: number, status: number, body: JsonObject): JsonObject {
  return {
    id: `batch_req_${batchId.slice(batchId.indexOf('_') + 1)}_${index}`,
    custom_id: customId,
    response: { status_code: status, request_id: `${batchId}-${index}`, body },
    error: null,
  };
}

function bodyOf({ body }: Reply): JsonObject {
  return body instanceof Uint8Array ? JSON.parse(Buffer.from(body).toString()) : {};
}

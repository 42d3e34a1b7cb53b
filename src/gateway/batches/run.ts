import { createHash } from 'node:crypto';
import { asGatewayError } from '../../core/errors.ts';
import type { Reply } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import type { KeptObject, ObjectStore, Timer } from '../../core/ports.ts';
import type { Gateway } from '../gateway.ts';
import { Absent } from '../kept/background.ts';
import { serve } from '../pipeline.ts';
import { type ActiveBatch, activeObject, activeParent, type Batch, batchObject, keptMs, readBatch } from './batch.ts';
import { type BatchWork, workIn } from './lines.ts';
import { prepare } from './prepare.ts';
import { recordOfWork } from './record.ts';
import { readFileText, resultFile } from './result-files.ts';
import type { SetAside } from './set-aside.ts';

/** Requests of one batch under way at a time. */
const parallelMax = 8;
const leaseMs = 10_000;
const renewMs = 2_500;
/** How often work is looked for that another process left behind. */
const sweepMs = 3_000;
const waitMsMax = 60_000;
const triesMax = 20;

/** Refusals that pass: the line waits and is sent again. */
const passing: ReadonlySet<string> = new Set([
  'rate_limited',
  'upstream_rate_limited',
  'all_cooling_down',
  'overloaded',
]);

/**
 * Runs batches from the store: a few requests at a time, each on its own journey, each result kept as it comes. A process
 * that stops leaves the rest to the next one that finds it.
 */
export class BatchRuns {
  readonly #gateway: Gateway;
  readonly #objects: ObjectStore;
  readonly #runs = new Map<string, BatchRun>();
  readonly #name: string;
  #sweep: Timer | null = null;
  #isClosed = false;

  constructor(gateway: Gateway, objects: ObjectStore) {
    this.#gateway = gateway;
    this.#objects = objects;
    this.#name = gateway.chance.id();
  }

  /** Takes up what was left behind, now and from time to time. */
  start(): void {
    const { clock } = this.#gateway;
    const look = () => {
      void this.takeUp()
        .catch((cause: Error) => this.#gateway.log.warn('batches cannot be looked for', { reason: cause.message }))
        .finally(() => {
          if (!this.#isClosed) this.#sweep = clock.setTimer(sweepMs, look);
        });
    };
    this.#sweep = clock.setTimer(0, look);
  }

  /** Begins a new batch; its money is set aside already. */
  async begin(batch: Batch, work: BatchWork, money: SetAside, bounds: Bounds): Promise<void> {
    const until = this.#gateway.clock.now() + leaseMs;
    await this.#objects.put([batchObject(batch), activeObject(batch, this.#name, until)]);
    this.#run(batch, work, money, bounds, new Set());
  }

  /** As it stands now, where it runs here. */
  running(id: string): Batch | undefined {
    return this.#runs.get(id)?.batch;
  }

  /** Nothing more of it is sent. */
  async cancel(batch: Batch): Promise<Batch> {
    const here = this.#runs.get(batch.id);
    const now = here?.batch ?? batch;
    if (now.status === 'in_progress') {
      now.status = 'cancelling';
      now.cancelAskedAt = this.#gateway.clock.now();
      await this.#objects.put([batchObject(now)]);
      here?.stop();
    }
    return now;
  }

  async takeUp(): Promise<void> {
    const { clock, idempotency } = this.#gateway;
    for (const object of await this.#objects.children(activeParent)) {
      const { batchId, until } = JSON.parse(object.body) as ActiveBatch;
      const now = clock.now();
      if (this.#isClosed || this.#runs.has(batchId) || until > now) continue;
      // Of several processes that see the same end of a lease, one gets it.
      const key = createHash('sha256').update(`batch:${batchId}:${until}`).digest('hex');
      const claim = { key, fingerprint: key, requestId: `${this.#name}:${now}`, now };
      const times = { runningUntil: now + leaseMs, expiresAt: now + 2 * leaseMs };
      const winner = await idempotency?.claim({ ...claim, ...times });
      if (winner !== undefined && winner.requestId !== claim.requestId) continue;
      await this.#resume(batchId);
    }
  }

  async #resume(batchId: string): Promise<void> {
    const gateway = this.#gateway;
    const batch = await readBatch(this.#objects, batchId);
    if (batch === undefined) {
      await this.#objects.remove([`active:${batchId}`]);
      return;
    }
    await this.#objects.put([activeObject(batch, this.#name, gateway.clock.now() + leaseMs)]);
    try {
      const work = workIn(await readFileText(this.#objects, batch.inputFileId), batch.endpoint);
      const done = await this.#objects.children(batchId);
      const seen = new Set(done.map(({ position }) => position));
      // What was set aside went with the process that held it; where it does not fit any more, each request asks for itself.
      const { money, bounds } = await prepare(gateway, batch.keyId, work, seen, false);
      this.#run(batch, work, money, bounds, seen);
    } catch (cause) {
      gateway.log.error('a batch cannot be taken up', { batchId, reason: asGatewayError(cause).message });
      batch.status = 'failed';
      batch.endedAt = gateway.clock.now();
      await this.#objects.put([batchObject(batch)]);
      await this.#objects.remove([`active:${batchId}`]);
    }
  }

  #run(batch: Batch, work: BatchWork, money: SetAside, bounds: Bounds, done: ReadonlySet<number>): void {
    const run = new BatchRun(this.#gateway, this.#objects, this.#name, { batch, work, money, bounds, done });
    this.#runs.set(batch.id, run);
    void run.finished.then(() => this.#runs.delete(batch.id));
  }

  /** What is under way is finished; the rest is left to others. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#sweep?.cancel();
    const runs = [...this.#runs.values()];
    for (const run of runs) run.leave();
    await Promise.all(runs.map(({ finished }) => finished));
  }
}

/** By line: under which model its money is set aside, and how much. */
export type Bounds = readonly { readonly model: string; readonly bound: number }[];

interface RunParts {
  readonly batch: Batch;
  readonly work: BatchWork;
  readonly money: SetAside;
  readonly bounds: Bounds;
  readonly done: ReadonlySet<number>;
}

class BatchRun {
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
    this.#stop ??= 'ended';
    for (const wake of this.#waits) wake();
  }

  leave(): void {
    this.#stop ??= 'left';
    for (const wake of this.#waits) wake();
  }

  async #all(): Promise<void> {
    this.#renew();
    if (this.batch.status === 'cancelling') this.stop();
    const workers = Array.from({ length: parallelMax }, () => this.#worker());
    await Promise.all(workers);
    this.#renewal?.cancel();
    await this.#end();
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
        return told(customId, this.batch.id, index, reply);
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
    if (kept?.status === 'cancelling') {
      this.batch.status = 'cancelling';
      this.batch.cancelAskedAt = kept.cancelAskedAt ?? this.#gateway.clock.now();
      this.stop();
      return;
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
    batch.outputFileId = outputFileId;
    batch.errorFileId = errorFileId;
    batch.completed = results.filter(({ kind }) => kind === 'batch-result').length;
    batch.failed = results.length - batch.completed;
    batch.status = batch.status === 'cancelling' ? 'cancelled' : this.#stop === 'ended' ? 'expired' : 'completed';
    batch.endedAt = now;
    await this.#objects.put([...files, batchObject(batch)]);
    await this.#objects.remove([`active:${batch.id}`]);
  }
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

function told(customId: string, batchId: string, index: number, reply: Reply): JsonObject {
  const text = reply.body instanceof Uint8Array ? Buffer.from(reply.body).toString() : '{}';
  return {
    id: `batch_req_${batchId.slice(6)}_${index}`,
    custom_id: customId,
    response: { status_code: reply.status, request_id: `${batchId}-${index}`, body: JSON.parse(text) },
    error: null,
  };
}

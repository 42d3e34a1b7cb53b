import { createHash } from 'node:crypto';
import { asGatewayError, GatewayError } from '../../core/errors.ts';
import type { ObjectStore, Timer } from '../../core/ports.ts';
import { noUsage } from '../../core/usage.ts';
import type { Gateway } from '../gateway.ts';
import {
  type ActiveBatch,
  activeObject,
  activeParent,
  type Batch,
  batchObject,
  boundsObject,
  leaseMs,
  readBatch,
  readBounds,
} from './batch.ts';
import { chargeHolder } from './charge-holder.ts';
import { deskFor, deskOf, type OpenDesk, submit } from './desk.ts';
import { type BatchWork, workIn } from './lines.ts';
import { type Prepared, prepare } from './prepare.ts';
import { recordOfWork } from './record.ts';
import { readFileText } from './result-files.ts';
import { BatchRun, type Bounds, type RunParts } from './run.ts';

/** A process that has not handed a batch in after this long is gone. */
const handInMs = 30 * 60_000;
/** How often work is looked for that another process left behind. */
const sweepMs = 3_000;

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

  /** Begins a new batch; its money is set aside already. Rejects when it cannot be kept, or handed in. */
  async begin(batch: Batch, work: BatchWork, { money, bounds, example, models }: Prepared): Promise<void> {
    const gateway = this.#gateway;
    let open = example === null ? null : deskFor(gateway, example, models, batch.headers);
    let doubt: string | null = null;
    try {
      if (open !== null) {
        doubt = await this.#handIn(batch, work, open, bounds);
        if (batch.remote === undefined) open = null;
      }
      const until = gateway.clock.now() + leaseMs;
      await this.#objects.put([batchObject(batch), activeObject(batch, this.#name, until)]);
    } catch (cause) {
      money.end((id) => recordOfWork(batch, id, gateway.clock.now()));
      throw cause;
    }
    this.#run({ batch, work, money, bounds, done: new Set(), open, doubt });
  }

  /**
   * To the provider's own batch API; it is `remote` then, unless it was not taken. On record before anything is sent. Resolves
   * to why that is not known, or null.
   */
  async #handIn(batch: Batch, work: BatchWork, open: OpenDesk, bounds: Bounds): Promise<string | null> {
    const gateway = this.#gateway;
    const { id: deploymentId, provider, model, endpoint } = open.deployment;
    const place = { provider: provider.id, model, origin: endpoint.origin };
    const where = { deploymentId, place, dialect: open.dialect.name };
    batch.remote = { ...where, id: null };
    const until = gateway.clock.now() + handInMs;
    const kept = [batchObject(batch), activeObject(batch, this.#name, until), boundsObject(batch, bounds)];
    await this.#objects.put(kept);
    const submitted = await submit(gateway, batch, work, open);
    if (submitted.kind === 'unknown') {
      // Whoever heard an error would hand it in again, and might buy it twice.
      return `its provider may have taken it: ${submitted.error.message}`;
    }
    if (submitted.kind === 'taken') batch.remote = { ...where, id: submitted.id };
    else {
      delete batch.remote;
      gateway.log.info('a batch is run here: its provider does not take it', {
        batchId: batch.id,
        reason: submitted.reason,
      });
    }
    return null;
  }

  async #fail(batch: Batch, reason: string): Promise<void> {
    this.#gateway.log.error('a batch cannot be brought to its end', { batchId: batch.id, reason });
    batch.status = 'failed';
    batch.failure = reason;
    batch.endedAt = this.#gateway.clock.now();
    await this.#objects.put([batchObject(batch)]);
    await this.#objects.remove([`active:${batch.id}`]);
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
      const open = batch.remote === undefined ? null : deskOf(gateway, batch.remote);
      const work = workIn(await readFileText(this.#objects, batch.inputFileId), batch.endpoint);
      const done = await this.#objects.children(batchId);
      const seen = new Set(done.map(({ position }) => position));
      // What was set aside went with the process that held it; where it does not fit any more, each request asks for itself.
      const { money, bounds } = await prepare(gateway, batch.keyId, work, seen, false);
      const held = batch.remote === undefined ? [] : await readBounds(this.#objects, batch);
      const owed = bounds.map((one, index) => ({ ...one, ...(held[index] !== undefined && { held: held[index] }) }));
      this.#run({ batch, work, money, bounds: owed, done: seen, open, doubt: doubtOf(batch, open) });
    } catch (cause) {
      const error = asGatewayError(cause);
      // A store that is away comes back: it is taken up again then.
      if (error.code === 'budget_store_unavailable') throw error;
      await this.#fail(
        batch,
        batch.remote === undefined ? error.message : await this.#chargeRest(batch, error.message),
      );
    }
  }

  /** What was asked for cannot be read any more, and may have been bought: one row for all of it. Resolves to what is told. */
  async #chargeRest(batch: Batch, reason: string): Promise<string> {
    const held = await readBounds(this.#objects, batch);
    const seen = new Set((await this.#objects.children(batch.id)).map(({ position }) => position));
    const cost = held.reduce((sum, bound, index) => (seen.has(index) ? sum : sum + bound), 0);
    const error = new GatewayError('upstream_error', `${reason}; what it may have cost is charged`);
    await chargeHolder(this.#gateway, batch.keyId, '', {
      ...recordOfWork(batch, `${batch.id}-rest`, this.#gateway.clock.now()),
      status: 'failure',
      httpStatus: error.status,
      errorCode: error.code,
      errorMessage: error.message,
      deploymentId: batch.remote?.deploymentId ?? null,
      bound: cost,
      cost,
      usage: { ...noUsage, estimated: true },
    });
    return error.message;
  }

  #run(parts: RunParts): void {
    const { id } = parts.batch;
    const run = new BatchRun(this.#gateway, this.#objects, this.#name, parts);
    this.#runs.set(id, run);
    void run.finished.then(() => this.#runs.delete(id));
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

/** Why nobody can say what became of a batch that an earlier process handed to its provider; null where it can be asked. */
function doubtOf({ remote }: Batch, open: OpenDesk | null): string | null {
  if (remote === undefined) return null;
  if (open === null)
    return 'the deployment that it was handed to is not configured any more, so its provider cannot be asked';
  return remote.id === null ? 'its provider may have taken it: the gateway ended meanwhile' : null;
}

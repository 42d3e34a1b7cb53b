import type { JsonObject } from '../core/json.ts';
import { formatDollars, type Nanodollars } from '../core/money.ts';
import type { AlertSink, Chance, Clock, Log } from '../core/ports.ts';
import type { RequestRecord } from '../core/request-record.ts';
import { ConflictError, type SettingRecord, type Store } from '../core/store.ts';
import { type Suspension, suspensionPrefix } from '../core/suspension.ts';

export interface SuspensionOptions {
  readonly store: Pick<Store, 'settings' | 'transaction'>;
  /** Tells other replicas. */
  readonly announce: (change: { readonly scope: string; readonly id: string }) => void;
  readonly alerts: AlertSink;
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'id'>;
  readonly log: Log;
}

const againMs = 5_000;
const actor = 'tollgate';

/** Deployments that serve no caller with a hard budget, here at once and on every replica within a second. */
export class Suspensions {
  readonly #options: SuspensionOptions;
  #byDeployment: ReadonlyMap<string, Suspension> = new Map();
  /** Not in the store yet: it was away. */
  readonly #unkept = new Map<string, Suspension>();

  constructor(options: SuspensionOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#byDeployment.size;
  }

  has(deploymentId: string): boolean {
    return this.#byDeployment.has(deploymentId);
  }

  get(deploymentId: string): Suspension | null {
    return this.#byDeployment.get(deploymentId) ?? null;
  }

  /** A request cost more than was held for it. */
  breached(record: RequestRecord, bound: Nanodollars): void {
    const { deploymentId, id, cost, modelGroup, modelUsed } = record;
    if (deploymentId === null || this.has(deploymentId)) return;
    const { clock, log, alerts } = this.#options;
    const model = `${modelGroup ?? 'unknown'} (${modelUsed ?? 'unknown'})`;
    const suspension: Suspension = { deploymentId, model, at: clock.now(), requestId: id, bound, cost };
    this.#byDeployment = new Map(this.#byDeployment).set(deploymentId, suspension);
    const message =
      `${model} is suspended for callers with a hard budget: request ${id} cost ${formatDollars(cost)}, and at most ` +
      `${formatDollars(bound)} was expected. Check its price and its limit of output tokens, then resume it with POST /model/resume.`;
    log.error(message, { deployment: deploymentId });
    alerts.alert({
      id: `deployment_suspended|${deploymentId}|${id}`,
      event: 'deployment_suspended',
      subject: deploymentId,
      message,
      facts: { model, request: id, bound, cost },
    });
    this.#unkept.set(deploymentId, suspension);
    void this.#keep();
  }

  /** What the store knows by now. Never rejects. */
  async reload(): Promise<void> {
    try {
      const rows = await this.#options.store.settings.list();
      const read = rows.flatMap(({ id, value }) =>
        id.startsWith(suspensionPrefix) ? [[value.deploymentId, value] as unknown as [string, Suspension]] : [],
      );
      this.#byDeployment = new Map([...read, ...this.#unkept]);
    } catch (cause) {
      this.#options.log.warn('suspended deployments cannot be read', { reason: (cause as Error).message });
    }
  }

  async #keep(): Promise<void> {
    const { store, announce, clock, chance, log } = this.#options;
    for (const [deploymentId, suspension] of this.#unkept) {
      const id = suspensionPrefix + deploymentId;
      const now = clock.now();
      const tracked = { createdAt: now, updatedAt: now, createdBy: actor, updatedBy: actor, extra: {} };
      const row: SettingRecord = { id, value: { ...suspension }, ...tracked };
      try {
        await store.transaction(async ({ settings, audit, changes }) => {
          await settings.insert(row);
          await audit.insert({
            id: chance.id(),
            at: now,
            actor,
            actorKeyId: null,
            action: 'created',
            resource: 'setting',
            objectId: id,
            before: null,
            after: { id, ...suspension } satisfies JsonObject,
          });
          await changes.append([{ scope: 'setting', id }]);
        });
        announce({ scope: 'setting', id });
      } catch (cause) {
        // Another replica saw it, too.
        if (!(cause instanceof ConflictError)) {
          log.warn('a suspension cannot be kept; trying again', { reason: (cause as Error).message });
          clock.setTimer(againMs, () => void this.#keep());
          return;
        }
      }
      this.#unkept.delete(deploymentId);
    }
  }
}

import type { RequestFacts } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { Admitted, Outcome } from '../../core/exchange.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { BudgetPart } from '../../core/ports.ts';
import type { Attempt } from '../../core/request-record.ts';
import type { Deployment } from '../../core/route.ts';
import { noUsage, type Usage } from '../../core/usage.ts';
import { admit, admitMore } from '../admit.ts';
import type { Arrival } from '../arrival.ts';
import { authenticate } from '../authenticate.ts';
import { noteOf } from '../call/dispatch-note.ts';
import { answeredBySession } from '../call.ts';
import type { Gateway } from '../gateway.ts';
import { budgetExceeded, unpriceable } from '../limits/budget-refusal.ts';
import { amountAt, boundAt } from '../limits/estimate.ts';
import { counting } from '../limits/limits.ts';
import { plan, planAt } from '../plan.ts';
import { beginRequest, receive } from '../receive.ts';
import { record } from '../record.ts';
import { settle } from '../settle.ts';

/**
 * What a session may do before it must ask again: one turn, or one thing said and transcribed. A slice makes the journey of
 * a request, with a hold and a row of its own; its answer is told by others.
 */
export class Slice {
  readonly admitted: Admitted;
  readonly #gateway: Gateway;
  readonly #startedTick: number;
  #deployment: Deployment | null = null;
  #model = '';
  #isOver = false;
  /** What is held on the budgets of the deployment. */
  #part: BudgetPart | null = null;
  /** What it may cost, once more is held than at first. */
  #grownTo: Nanodollars | null = null;

  private constructor(gateway: Gateway, admitted: Admitted) {
    this.#gateway = gateway;
    this.admitted = admitted;
    this.#startedTick = gateway.clock.tick();
  }

  /** Rejects with the GatewayError that refuses it: a key that was blocked, a limit, a budget. */
  static async grant(
    gateway: Gateway,
    arrival: Arrival,
    at?: { name: string; deployment: Deployment },
  ): Promise<Slice> {
    const received = receive(gateway, arrival, beginRequest(gateway, arrival));
    const identified = await authenticate(gateway, received, arrival.matched.route.routeGroups, arrival.onBehalfOf);
    const planned = at === undefined ? plan(gateway, identified) : planAt(gateway, identified, at.name, at.deployment);
    return new Slice(gateway, await admit(gateway, planned));
  }

  /** Room in the budgets of the deployment and its provider. Rejects with GatewayError where there is none. */
  async claim(deployment: Deployment): Promise<void> {
    const { reservation } = this.admitted;
    if (reservation === null || deployment.budgets.length === 0) return;
    const { amount, unpriced, unbounded } = boundAt(this.admitted, deployment);
    if (unpriced !== null || unbounded !== null) throw unpriceable(unpriced, unbounded, deployment.budgets[0]!);
    this.#part = await this.#attach(deployment, amount);
  }

  /** Room for as much as `facts` say, in the place of what was asked for. Rejects with GatewayError where there is none. */
  async grow(facts: RequestFacts): Promise<void> {
    const deployment = this.#deployment!;
    // Read again where it was let go of, and so not among what a copy takes over.
    const { body } = this.admitted;
    const { amount } = boundAt({ ...this.admitted, body, facts }, deployment);
    const before = this.#grownTo ?? amountAt(this.admitted, deployment);
    if (amount <= before) return;
    if (deployment.budgets.length > 0) await this.#attach(deployment, amount - before);
    if (!(await admitMore(this.#gateway, this.admitted, amount))) {
      throw new GatewayError('budget_exceeded', 'The budget has no room for more of what is being said.');
    }
    this.#grownTo = amount;
  }

  async #attach(deployment: Deployment, amount: Nanodollars): Promise<BudgetPart> {
    const rules = this.admitted.funds?.isSpent ? deployment.budgets.map(counting) : deployment.budgets;
    const part = await this.#gateway.ledger.attach(this.admitted.reservation!, rules, amount);
    if ('rule' in part) throw budgetExceeded(part, this.admitted, this.#gateway.clock.now());
    return part;
  }

  /** It was not this deployment after all. */
  giveBack(): void {
    const { reservation } = this.admitted;
    if (reservation !== null && this.#part !== null) this.#gateway.ledger.detach(reservation, this.#part);
    this.#part = null;
  }

  /** From here on the provider may bill it. */
  dispatched(deployment: Deployment, group: string, model: string): void {
    this.#deployment = deployment;
    this.#model = model;
    const { reservation } = this.admitted;
    if (reservation !== null)
      this.#gateway.ledger.dispatched(reservation, noteOf(this.admitted, { deployment, group, model }));
  }

  /** Goes to where its session is already. Over, and rejects with GatewayError, where there is no room. */
  async begin(deployment: Deployment, model: string): Promise<void> {
    try {
      await this.claim(deployment);
    } catch (cause) {
      this.end('success', noUsage);
      throw cause;
    }
    this.dispatched(deployment, this.admitted.route.primary.name, model);
  }

  /** `usage` is null where nobody said what it came to although something was begun: then it costs its bound. */
  end(kind: Outcome['kind'], usage: Usage | null, error: GatewayError | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { clock } = this.#gateway;
    const deployment = this.#deployment;
    const charged = usage === null && deployment !== null ? (this.#grownTo ?? amountAt(this.admitted, deployment)) : 0;
    const durationMs = clock.tick() - this.#startedTick;
    const attempts: Attempt[] =
      deployment === null
        ? []
        : [
            {
              deploymentId: deployment.id,
              group: this.admitted.route.primary.name,
              provider: deployment.provider.id,
              model: this.#model,
              startedAt: Math.round(clock.now() - durationMs),
              durationMs: Math.round(durationMs),
              status: null,
              result: error?.code ?? (kind === 'aborted' ? 'aborted' : 'success'),
              ambiguous: usage === null,
              charged,
            },
          ];
    const outcome: Outcome = {
      // Tokens are counted; what is not counted is charged as unknown.
      kind: kind === 'aborted' ? 'success' : kind,
      usage: usage ?? noUsage,
      attempts,
      deployment,
      group: this.admitted.route.primary.name,
      modelUsed: this.#model === '' ? null : this.#model,
      cacheHit: false,
      cacheKey: null,
      error,
      httpStatus: error?.status ?? 101,
      finishReason: null,
      firstTokenAt: null,
      endedAt: clock.now(),
      upstreamMs: durationMs,
      ambiguousCost: charged,
      responseText: null,
    };
    try {
      const { settled } = settle(this.#gateway, answeredBySession(this.admitted, outcome), outcome);
      record(this.#gateway, settled);
    } catch (cause) {
      this.#gateway.log.error('a slice could not be settled', { requestId: this.admitted.id, cause: String(cause) });
    }
  }
}

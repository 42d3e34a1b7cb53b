import { GatewayError } from '../../core/errors.ts';
import type { Funds, Planned } from '../../core/exchange.ts';
import { authenticate } from '../authenticate.ts';
import type { Gateway } from '../gateway.ts';
import { Absent } from '../kept/background.ts';
import { unpriceable } from '../limits/budget-refusal.ts';
import { boundOf } from '../limits/estimate.ts';
import { limitsOf } from '../limits/limits.ts';
import { plan } from '../plan.ts';
import { beginRequest, receive } from '../receive.ts';
import type { BatchLine, BatchWork } from './lines.ts';
import { emptyHold, SetAside } from './set-aside.ts';

/** After so many lines others get their turn. */
const linesAtOnce = 100;

export interface Prepared {
  readonly money: SetAside;
  readonly bounds: readonly { readonly model: string; readonly bound: number }[];
  /** One of the requests, and every model that they name; null where none can be sent. */
  readonly example: Planned | null;
  readonly models: ReadonlySet<string>;
}

const nothing = { model: '', bound: 0 };

/**
 * Reads, plans and prices every line as if it were sent now, and sets the sum of their bounds aside. Throws GatewayError
 * that names the line, or says that the sum does not fit; when `mustFit` is false, such lines fail on their own later.
 */
export async function prepare(
  gateway: Gateway,
  keyId: string,
  work: BatchWork,
  done: ReadonlySet<number>,
  mustFit: boolean,
): Promise<Prepared> {
  const money = new SetAside(gateway.ledger, await emptyHold(gateway.ledger, gateway.chance.id()));
  const bounds: { model: string; bound: number }[] = [];
  const models = new Set<string>();
  let example: Planned | null = null;
  for (const [index, line] of work.lines.entries()) {
    if (index % linesAtOnce === linesAtOnce - 1) await new Promise<void>((go) => gateway.clock.setTimer(0, go));
    if (done.has(index)) {
      bounds.push(nothing);
      continue;
    }
    try {
      const planned = await plannedLine(gateway, keyId, work, line);
      example = planned;
      const { budgets } = await limitsOf(gateway, planned);
      const bound = boundOf(planned, null);
      const hard = budgets.find(({ cap }) => cap !== null);
      if (hard !== undefined && (bound.unpriced !== null || bound.unbounded !== null)) {
        throw unpriceable(bound.unpriced, bound.unbounded, hard);
      }
      money.add(planned.model, bound.free ? [] : budgets, bound.amount);
      bounds.push({ model: planned.model, bound: bound.amount });
      models.add(planned.model);
    } catch (cause) {
      if (!(cause instanceof GatewayError)) throw cause;
      if (mustFit) throw ofLine(cause, index, work.param);
      bounds.push(nothing);
    }
  }
  const prepared = { money, bounds, example, models };
  if (example === null) return prepared;
  try {
    await money.hold(gateway, example);
  } catch (cause) {
    if (mustFit || !(cause instanceof GatewayError)) throw cause;
  }
  return prepared;
}

/** A request as it would be sent now. `own` for one that was sent already: its id, and what was set aside for it. */
export async function plannedLine(
  gateway: Gateway,
  keyId: string,
  work: Pick<BatchWork, 'matched' | 'path'>,
  { body }: BatchLine,
  own?: { readonly id: string; readonly funds: Funds },
): Promise<Planned> {
  const arrival = {
    matched: work.matched,
    path: work.path,
    query: '',
    headers: {},
    bytes: Buffer.from(JSON.stringify(body)),
    clientAddress: null,
    client: new Absent(),
    arrivedTick: gateway.clock.tick(),
    onBehalfOf: keyId,
    ...(own !== undefined && { funds: own.funds }),
  };
  const start = beginRequest(gateway, arrival);
  const received = receive(gateway, arrival, own === undefined ? start : { ...start, id: own.id });
  return plan(gateway, await authenticate(gateway, received, work.matched.route.routeGroups, keyId));
}

function ofLine(error: GatewayError, index: number, param: string): GatewayError {
  return new GatewayError(error.code, `request ${index + 1}: ${error.message}`, {
    ...error.details,
    param,
  });
}

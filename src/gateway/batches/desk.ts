import type { AskDesk, BatchDesk, BatchOrder, DeskQuestion } from '../../core/batch-desk.ts';
import type { Dialect } from '../../core/dialect.ts';
import { asGatewayError, type GatewayError } from '../../core/errors.ts';
import type { Planned } from '../../core/exchange.ts';
import type { Deployment } from '../../core/route.ts';
import { mockedAnswer, mockedFailure } from '../call/mock.ts';
import { dialectFor, requestBody, spokenTo, type Target, upstreamModel } from '../call/translate.ts';
import { askForBytes } from '../free/ask-provider.ts';
import type { Gateway } from '../gateway.ts';
import { pickDeployment } from '../routing/pick-deployment.ts';
import type { Batch, RemoteWork } from './batch.ts';
import type { BatchWork } from './lines.ts';
import { plannedLine } from './prepare.ts';

/** Files of a hundred megabytes go up and come down. */
const patienceMs = 600_000;

/** A deployment whose provider takes batches, and the words it is asked in. */
export interface OpenDesk {
  readonly deployment: Deployment;
  readonly dialect: Dialect;
  readonly desk: BatchDesk;
  readonly path: string;
  readonly ask: AskDesk;
}

/** Who takes all these requests at once: a deployment of the one model that they name. null where nobody does. */
export function deskFor(
  gateway: Gateway,
  example: Planned,
  models: ReadonlySet<string>,
  headers: Batch['headers'] = {},
): OpenDesk | null {
  const { primary } = example.route;
  // A format whose requests go on from earlier answers needs what the gateway keeps of them.
  const alone = models.size === 1 && example.dialect.continuation === undefined;
  if (!alone || !example.snapshot.settings.providerBatches) return null;
  // Money held by deployment is held when it is asked: that would be after it was spent.
  const able = primary.candidates.filter(
    (deployment) => deployment.budgets.length === 0 && opened(gateway, example, deployment, headers) !== null,
  );
  const picked = pickDeployment(gateway, example, { candidates: able }, new Set());
  return picked !== 'none' && 'id' in picked ? opened(gateway, example, picked, headers) : null;
}

function opened(
  gateway: Gateway,
  example: Planned,
  deployment: Deployment,
  headers: NonNullable<Batch['headers']>,
): OpenDesk | null {
  const { batchDesk } = deployment.provider;
  const speaks = spokenTo(example, deployment);
  const desk = batchDesk === undefined ? undefined : gateway.batchDesks.get(batchDesk);
  const path = speaks === undefined ? undefined : desk?.paths[speaks];
  if (desk === undefined || path === undefined || deployment.unusable !== null) return null;
  if (deployment.endpoint.batch === undefined) return null;
  const dialect = dialectFor(gateway, example, deployment);
  // What the caller's headers say is said to a provider of the same format.
  const own = dialect === example.dialect ? Object.entries(headers).flat() : [];
  return { deployment, dialect, desk, path, ask: asking(gateway, deployment, dialect, own) };
}

/** The desk where a batch was handed in earlier; null where neither its deployment nor its like is configured any more. */
export function deskOf(gateway: Gateway, remote: RemoteWork): OpenDesk | null {
  const { deploymentId, dialect: name } = remote;
  const { deployments } = gateway.snapshot();
  const deployment = deployments.get(deploymentId) ?? deployments.values().find((one) => isLike(one, remote));
  const dialect = gateway.dialects.get(name);
  const batchDesk = deployment?.provider.batchDesk;
  const desk = batchDesk === undefined ? undefined : gateway.batchDesks.get(batchDesk);
  const path = desk?.paths[name];
  if (deployment?.endpoint.batch === undefined || dialect === undefined) return null;
  if (desk === undefined || path === undefined) return null;
  return { deployment, dialect, desk, path, ask: asking(gateway, deployment, dialect, []) };
}

/** The same model at the same address: with another account there it is not found, and given up in time. */
function isLike({ provider, model, endpoint }: Deployment, { place }: RemoteWork): boolean {
  if (place === undefined || endpoint.batch === undefined) return false;
  return provider.id === place.provider && model === place.model && endpoint.origin === place.origin;
}

function asking(gateway: Gateway, deployment: Deployment, dialect: Dialect, headers: readonly string[]): AskDesk {
  return ({ method, room = 'jobs', tail, headers: own = [], body, contentType }) =>
    askForBytes(gateway, deployment, dialect, {
      method,
      ...deployment.endpoint.batch!.at(room, tail),
      body: body ?? null,
      headers: [...headers, ...own],
      patienceMs,
      ...(contentType !== undefined && { contentType }),
    });
}

export type Submitted =
  | { readonly kind: 'taken'; readonly id: string }
  /** Nothing was bought: the requests are for somebody else. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Nobody knows whether it was taken. */
  | { readonly kind: 'unknown'; readonly error: GatewayError };

/** Puts every request into the provider's words and hands them over. */
export async function submit(
  gateway: Gateway,
  { id, keyId }: Pick<Batch, 'id' | 'keyId'>,
  work: BatchWork,
  open: OpenDesk,
): Promise<Submitted> {
  let order: BatchOrder | null;
  try {
    order = await orderOf(gateway, `tollgate-${id.replace(/[^a-zA-Z0-9]+/g, '-')}`, keyId, work, open);
  } catch (cause) {
    // One that this provider cannot be asked may be answered by another one.
    return { kind: 'refused', reason: asGatewayError(cause).message };
  }
  if (order === null) return { kind: 'refused', reason: 'it asks for mock answers' };
  let mayBeBought = false;
  const ask: AskDesk = (question) => {
    if (question.isUpload) return uploaded(open.ask, question);
    mayBeBought = true;
    return open.ask(question);
  };
  try {
    return { kind: 'taken', id: await open.desk.submit(ask, order) };
  } catch (cause) {
    const error = asGatewayError(cause);
    if (mayBeBought && uncertain.has(error.code)) return { kind: 'unknown', error };
    return { kind: 'refused', reason: error.message };
  }
}

const uncertain: ReadonlySet<string> = new Set(['upstream_timeout', 'upstream_connection', 'internal']);

/** A file that did not arrive is sent once more; after a time-out its caller has waited long enough. */
async function uploaded(ask: AskDesk, question: DeskQuestion): Promise<Buffer> {
  try {
    return await ask(question);
  } catch (cause) {
    if (asGatewayError(cause).code !== 'upstream_connection') throw cause;
    return ask(question);
  }
}

/** null where answers are to be made up. */
async function orderOf(
  gateway: Gateway,
  name: string,
  keyId: string,
  work: BatchWork,
  open: OpenDesk,
): Promise<BatchOrder | null> {
  const bodies: Buffer[] = [];
  let model = '';
  for (const line of work.lines) {
    const planned = await plannedLine(gateway, keyId, work, line);
    const { deployment } = open;
    if (mockedFailure(planned) !== null || mockedAnswer(planned, deployment) !== null) return null;
    const target: Target = {
      deployment,
      group: planned.route.primary.name,
      endpoint: deployment.endpoint,
      model: upstreamModel(deployment, planned.route.primary.wildcardMatches),
      dialect: dialectFor(gateway, planned, deployment),
      speaks: open.dialect.name,
      overrides: null,
    };
    model = target.model;
    bodies.push(await requestBody(gateway, planned, target));
  }
  const { batch } = open.deployment.endpoint;
  const { name: dialect } = open.dialect;
  const called = batch?.model?.(model, dialect) ?? model;
  return { path: open.path, name, model: called, store: batch?.store ?? null, bodies };
}

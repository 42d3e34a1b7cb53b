import { asGatewayError, GatewayError } from '../../core/errors.ts';
import type { SocketTransport, UpstreamSocket } from '../../core/ports.ts';
import type { Deployment } from '../../core/route.ts';
import type { Arrival } from '../arrival.ts';
import { providerError } from '../call/provider-error.ts';
import { upstreamModel } from '../call/translate.ts';
import { authorized } from '../free/ask-provider.ts';
import type { Gateway } from '../gateway.ts';
import { pickDeployment } from '../plan.ts';
import type { Slice } from './slice.ts';
import type { Place } from './turns.ts';

type Receiver = Parameters<SocketTransport['connect']>[1];

const goingAway = 1001;
const nothing = new Uint8Array(0);
const ofBudget: ReadonlySet<string> = new Set(['deployments_over_budget', 'budget_unpriceable']);

export interface Line extends Place {
  readonly socket: UpstreamSocket;
}

/** What a session does. */
export type SessionTask = 'converse' | 'transcribe' | 'translate';

/**
 * A connection to one of the deployments that the slice may go to, the slice dispatched there. Rejects with the GatewayError of the last one that was tried.
 */
export async function dial(
  gateway: Gateway,
  arrival: Arrival,
  slice: Slice,
  task: SessionTask,
  receiver: Receiver,
): Promise<Line> {
  const { admitted } = slice;
  const { primary } = admitted.route;
  const tried = new Set<string>();
  for (let last: GatewayError | null = null; ; ) {
    const deployment = pickDeployment(gateway, admitted, primary, tried);
    if (deployment === 'none' || !('id' in deployment)) {
      throw last ?? new GatewayError('no_capable_deployment', `No deployment of ${primary.name} can be reached.`);
    }
    tried.add(deployment.id);
    try {
      const model = upstreamModel(deployment, primary.wildcardMatches);
      await slice.claim(deployment);
      const socket = await open(gateway, arrival, deployment, model, task, receiver);
      try {
        slice.dispatched(deployment, primary.name, model);
      } catch (cause) {
        socket.close(goingAway, '');
        throw cause;
      }
      return { socket, deployment, model };
    } catch (cause) {
      slice.giveBack();
      last = asGatewayError(cause);
      // Its budget is used up: it is not at fault.
      if (ofBudget.has(last.code)) continue;
      gateway.health.started(deployment);
      gateway.health.failed(deployment, last, admitted.snapshot, primary.candidates.length);
    }
  }
}

async function open(
  gateway: Gateway,
  arrival: Arrival,
  deployment: Deployment,
  model: string,
  task: SessionTask,
  receiver: Receiver,
): Promise<UpstreamSocket> {
  const { endpoint, provider } = deployment;
  const { dialect } = arrival.matched.route;
  const { timeouts } = gateway.snapshot().settings;
  if (!provider.dialects.realtime?.includes(dialect)) {
    throw new GatewayError('no_capable_deployment', `${provider.name} does not offer realtime sessions.`);
  }
  const isNamed = gateway.dialects.get(dialect)?.session?.().modelIn === 'first message';
  const plain = endpoint.path(dialect, model, true);
  const path = withQuery(
    task === 'translate' ? plain.replace(/(?=\?|$)/, '/translations') : plain,
    task === 'transcribe' ? 'intent=transcription' : '',
    isNamed || (task === 'transcribe' && provider.transcriptsNameNoModel) ? '' : `model=${encodeURIComponent(model)}`,
  );
  const beta = arrival.headers['openai-beta'];
  const headers = typeof beta === 'string' ? [...endpoint.headers, 'openai-beta', beta] : endpoint.headers;
  const call = { method: 'GET', origin: endpoint.origin, path, headers, body: nothing } as const;
  const authorization = await authorized(gateway, deployment, call);
  try {
    return await gateway.sockets.connect(
      {
        origin: endpoint.origin,
        path,
        headers: [...headers, ...authorization],
        connectTimeoutMs: timeouts.connectMs,
      },
      receiver,
    );
  } catch (cause) {
    const { message, status = 0 } = cause as Error & { status?: number };
    const code =
      status === 401 ? 'upstream_authentication' : status === 429 ? 'upstream_rate_limited' : 'upstream_connection';
    throw providerError(code, provider, message, gateway.snapshot().secrets);
  }
}

/** Where the path names a deployment already, that is the model. */
function withQuery(path: string, intent: string, model: string): string {
  const added = [intent, path.includes('deployment=') ? '' : model].filter((part) => part !== '');
  return added.length === 0 ? path : `${path}${path.includes('?') ? '&' : '?'}${added.join('&')}`;
}

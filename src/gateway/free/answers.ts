import { GatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Deployment } from '../../core/route.ts';
import type { Gateway } from '../gateway.ts';
import { stoppedError, unwanted } from '../kept/background.ts';
import { answerKind } from '../kept/keep.ts';
import { answerOf, answerOwnerOf, type KeptAnswer } from '../kept/shelf.ts';
import { askProvider } from './ask-provider.ts';
import { answered, type FreeAnswer, type FreeCall } from './call.ts';
import { malformed, page } from './listing.ts';

/* `/v1/responses/{id}`: answers that are kept, by the gateway or by the provider that gave them. */

const dialectName = 'openai-responses';

type Place =
  | { readonly kind: 'own'; readonly id: string; readonly kept: KeptAnswer; readonly parent: string | null }
  | { readonly kind: 'native'; readonly id: string; readonly deployment: Deployment; readonly upstreamId: string };

/** Throws GatewayError('not_found') for what is not there, and for what is somebody else's. */
async function placeOf(gateway: Gateway, { principal, snapshot, params }: FreeCall): Promise<Place> {
  const id = params[0] ?? '';
  const owner = answerOwnerOf(snapshot.settings, principal);
  const native = gateway.answerIds.nativeOf(owner, id);
  const deployment = native === undefined ? undefined : snapshot.deployments.get(native.deploymentId);
  if (native !== undefined && deployment !== undefined) {
    return { kind: 'native', id, deployment, upstreamId: native.id };
  }
  const isOurs = gateway.kept !== null && gateway.answerIds.isOwn(id);
  const found = isOurs ? await gateway.kept.find(owner, id, true) : undefined;
  if (found === undefined || found.kind !== answerKind) {
    throw new GatewayError('not_found', `Response with id '${id.slice(0, 80)}' not found.`, { param: 'response_id' });
  }
  return { kind: 'own', id, kept: answerOf(found), parent: found.parent };
}

export async function getAnswer(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  if (call.query.get('stream') === 'true') {
    throw malformed('stream', 'answers that are kept are given whole: leave it out');
  }
  const place = await placeOf(gateway, call);
  if (place.kind === 'native') return ofProvider(gateway, call, place, 'GET', '');
  return answered(current(gateway, place.kept));
}

/** Work whose process died is never going to end. */
function current({ clock, dialects }: Gateway, { answer, runningUntil }: KeptAnswer): JsonObject {
  if (runningUntil === undefined || clock.now() < runningUntil) return answer;
  const error = stoppedError();
  const told = dialects.get(dialectName)?.continuation?.withoutOutput({
    id: String(answer.id),
    request: answer,
    model: String(answer.model),
    status: 'failed',
    error,
    createdAt: Number(answer.created_at),
  });
  return told ?? answer;
}

export async function deleteAnswer(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const place = await placeOf(gateway, call);
  if (place.kind === 'native') {
    await ofProvider(gateway, call, place, 'DELETE', '');
  } else {
    const isUnderWay = place.kept.runningUntil !== undefined;
    if (isUnderWay && !gateway.background.cancel(place.id)) {
      await unwanted(gateway, answerOwnerOf(call.snapshot.settings, call.principal), place.id);
    }
    await gateway.kept!.remove([place.id]);
  }
  return answered({ id: place.id, object: 'response', deleted: true });
}

export async function cancelAnswer(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const place = await placeOf(gateway, call);
  if (place.kind === 'native') return ofProvider(gateway, call, place, 'POST', '/cancel');
  const answer = current(gateway, place.kept);
  if (answer.background !== true) {
    throw malformed('response_id', 'only a response that was created with background: true can be cancelled');
  }
  if (answer.status !== 'queued' && answer.status !== 'in_progress') return answered(answer);
  if (!gateway.background.cancel(place.id))
    await unwanted(gateway, answerOwnerOf(call.snapshot.settings, call.principal), place.id);
  return answered({ ...answer, status: 'cancelled' });
}

export async function listInputItems(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const place = await placeOf(gateway, call);
  if (place.kind === 'native') return ofProvider(gateway, call, place, 'GET', '/input_items');
  const { kept } = place;
  const earlier =
    kept.previousId === null
      ? undefined
      : await gateway.kept!.thread(answerOwnerOf(call.snapshot.settings, call.principal), kept.previousId);
  return answered(page([...(earlier?.items ?? []), ...kept.items], call));
}

/** The same question to the provider, with its own id; its answer under the caller's. */
async function ofProvider(
  gateway: Gateway,
  { id: requestId, query, params }: FreeCall,
  { deployment, upstreamId }: Extract<Place, { kind: 'native' }>,
  method: 'GET' | 'POST' | 'DELETE',
  suffix: string,
): Promise<FreeAnswer> {
  const dialect = gateway.dialects.get(dialectName)!;
  const [path = '', own] = deployment.endpoint.path(dialectName, deployment.model, false).split('?', 2);
  const all = [own, method === 'GET' ? query.toString() : ''].filter((text) => text !== undefined && text !== '');
  const asked = `${path}/${encodeURIComponent(upstreamId)}${suffix}${all.length === 0 ? '' : `?${all.join('&')}`}`;
  const body = method === 'POST' ? Buffer.from('{}') : null;
  const answer = await askProvider(gateway, deployment, dialect, { method, path: asked, body });
  const isAnswer = answer.object === 'response' && typeof answer.model === 'string';
  const told = isAnswer ? { ...answer, id: params[0] ?? requestId, model: deployment.group } : answer;
  return answered(told);
}

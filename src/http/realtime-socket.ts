import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { GatewayError } from '../core/errors.ts';
import { socketPeer } from '../core/socket-peer.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { realtimeRoute } from '../gateway/operations.ts';
import { type ClientSecret, openingOf, presentedSecret, taskOf } from '../gateway/session/client-secrets.ts';
import type { SessionTask } from '../gateway/session/dial.ts';
import { RealtimeSession } from '../gateway/session/session.ts';
import { OpenClient } from './client-presence.ts';
import { headersWithProtocolKey } from './protocol-key.ts';
import { queryOf } from './request-path.ts';
import type { OpenSocket, SocketDoor } from './sockets.ts';

const paths: ReadonlySet<string> = new Set(['/realtime', '/v1/realtime', '/openai/realtime', '/openai/v1/realtime']);
const translations = /\/translations$/;

/** Realtime sessions. https://platform.openai.com/docs/guides/realtime-websocket */
export function realtimeSocketDoor(gateway: Gateway): SocketDoor<ClientSecret> {
  return {
    routeGroups: realtimeRoute.routeGroups,
    secretIn: (headers, _query, path) => {
      const secret = presentedSecret(gateway, headers);
      if (secret === null || (taskOf(secret) === 'translate') === translations.test(path)) return secret;
      throw new GatewayError(
        'unknown_key',
        'Authentication Error, this client secret is not for sessions at this path.',
      );
    },
    takes: (path) => paths.has(path.replace(translations, '')),
    open: (socket, request, path, secret) => openSession(gateway, socket, request, path, secret),
  };
}

function openSession(
  gateway: Gateway,
  socket: WebSocket,
  request: IncomingMessage,
  path: string,
  secret: ClientSecret | null,
): OpenSocket {
  const query = new URLSearchParams(queryOf(request.url ?? ''));
  const task = taskAt(path, query, secret);
  const isOwn = secret !== null && task === 'transcribe';
  const bound = isOwn ? undefined : secret?.session.model;
  // What a secret was made for is not the browser's to choose. Azure's clients name the deployment.
  const named = isOwn ? null : (query.get('model') ?? query.get('deployment'));
  const model = typeof bound === 'string' ? bound : (named ?? undefined);
  const client = new OpenClient(realtimeRoute.dialect);
  const { 'idempotency-key': _once, ...headers } = headersWithProtocolKey(request.headers);
  const session = new RealtimeSession(
    gateway,
    {
      matched: { route: realtimeRoute, model, stream: true },
      path,
      query: '',
      headers: secret?.isBeta ? { 'openai-beta': 'realtime=v1', ...headers } : headers,
      clientAddress: request.socket.remoteAddress ?? null,
      bytes: Buffer.from(JSON.stringify(model === undefined ? {} : { model })),
      client,
      arrivedTick: gateway.clock.tick(),
      ...(secret !== null && { onBehalfOf: secret.keyId }),
    },
    socketPeer(socket),
    { opening: secret === null ? null : openingOf(secret), task, model },
  );
  socket.on('message', (bytes: Buffer) => session.clientSaid(bytes.toString('utf8')));
  socket.on('close', () => session.clientLeft());
  void session.begin();
  return session;
}

/** Translation has an address of its own: a secret is for the one or for the others, which was seen to before. */
function taskAt(path: string, query: URLSearchParams, secret: ClientSecret | null): SessionTask {
  if (translations.test(path)) return 'translate';
  if (secret !== null) return taskOf(secret);
  return query.get('intent') === 'transcription' ? 'transcribe' : 'converse';
}

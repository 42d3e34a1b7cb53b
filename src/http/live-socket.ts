import { socketPeer } from '../core/socket-peer.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { liveRoute } from '../gateway/operations.ts';
import { constrained, type LiveToken, presentedToken } from '../gateway/session/live-tokens.ts';
import { RealtimeSession } from '../gateway/session/session.ts';
import { OpenClient } from './client-presence.ts';
import { headersWithQueryKey } from './query-key.ts';
import { queryOf } from './request-path.ts';
import type { SocketDoor } from './sockets.ts';

/** As Google's clients write it for both of its services; a base address with a slash at its end makes two of them. */
const livePath =
  /^\/{1,2}ws\/google\.(?:ai\.generativelanguage\.v1\w*\.GenerativeService\.|cloud\.aiplatform\.v1\w*\.LlmBidiService\/)BidiGenerateContent(?:Constrained)?$/;

/** Sessions of Google's Live API. https://ai.google.dev/api/live */
export function liveSocketDoor(gateway: Gateway): SocketDoor<LiveToken> {
  return {
    routeGroups: liveRoute.routeGroups,
    takesKeyInQuery: true,
    secretIn: (headers, query) => presentedToken(gateway, headers, query),
    takes: (path) => livePath.test(path),
    open: (socket, request, path, token) => {
      const { 'idempotency-key': _once, ...headers } = headersWithQueryKey(request.headers, queryOf(request.url ?? ''));
      const session = new RealtimeSession(
        gateway,
        {
          matched: { route: liveRoute, model: undefined, stream: true },
          path,
          query: '',
          headers,
          clientAddress: request.socket.remoteAddress ?? null,
          bytes: Buffer.from('{}'),
          client: new OpenClient(liveRoute.dialect),
          arrivedTick: gateway.clock.tick(),
          ...(token !== null && { onBehalfOf: token.keyId }),
        },
        socketPeer(socket),
        { opening: null, task: 'converse', model: undefined },
      );
      // What is under way when a token ends is finished.
      const end =
        token === null ? null : gateway.clock.setTimer(token.endsAt - gateway.clock.now(), () => session.drain());
      socket.on('message', (bytes: Buffer) => {
        const text = bytes.toString('utf8');
        session.clientSaid(token !== null && /setup|\\u/i.test(text) ? constrained(text, token) : text);
      });
      socket.on('close', () => {
        end?.cancel();
        session.clientLeft();
      });
      void session.begin();
      return session;
    },
  };
}

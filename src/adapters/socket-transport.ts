import { type EgressSettings, plainEgress } from '../core/egress.ts';
import type { SocketTransport, UpstreamSocket } from '../core/ports.ts';
import { socketPeer } from '../core/socket-peer.ts';
import { tlsOptions } from './egress/tls-options.ts';

const messageBytesMax = 32 * 1024 * 1024;

/** WebSockets to providers. The library is loaded when the first one is opened. */
export function socketTransport(egress: EgressSettings = plainEgress): SocketTransport {
  const tls = tlsOptions(egress);
  return {
    async connect({ origin, path, headers, connectTimeoutMs }, receiver): Promise<UpstreamSocket> {
      const { WebSocket } = await import('ws');
      const pairs: Record<string, string> = {};
      for (let index = 0; index < headers.length; index += 2) pairs[headers[index]!] = headers[index + 1]!;
      const socket = new WebSocket(origin.replace(/^http/, 'ws') + path, {
        headers: pairs,
        handshakeTimeout: connectTimeoutMs,
        maxPayload: messageBytesMax,
        perMessageDeflate: false,
        // A redirect would carry the credential to another host.
        followRedirects: false,
        ...tls,
      });
      const peer = socketPeer(socket);
      let isOpen = false;
      // Before it is open: the first message may come in one piece with the handshake.
      socket.on('message', (bytes: Buffer) => receiver.onText(bytes.toString('utf8')));
      socket.on('close', (code: number, reason: Buffer) => {
        if (isOpen) receiver.onClose(code, reason.toString('utf8'));
      });
      await new Promise<void>((resolve, reject) => {
        socket.once('open', () => {
          isOpen = true;
          resolve();
        });
        socket.once('error', (cause: Error) => reject(new Error(safeMessage(cause))));
        socket.once('unexpected-response', (_request, response) => {
          response.resume();
          socket.terminate();
          reject(Object.assign(new Error(`answered ${response.statusCode}`), { status: response.statusCode }));
        });
      });
      socket.on('error', () => undefined);
      return peer;
    },
  };
}

/** Nothing of addresses or credentials. */
function safeMessage(cause: Error & { code?: string }): string {
  if (/handshake has timed out/.test(cause.message)) return 'no connection in time';
  return cause.code === undefined ? 'the WebSocket handshake failed' : `the connection failed (${cause.code})`;
}

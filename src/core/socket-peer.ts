import type { SocketPeer } from './ports.ts';

/** What is used of a WebSocket, the caller's or the provider's. */
interface WebSocketLike {
  readonly readyState: number;
  readonly OPEN: number;
  readonly bufferedAmount: number;
  send(text: string, sent: () => void): void;
  pause(): void;
  resume(): void;
  close(code: number, reason: string): void;
  on(event: 'close', listener: () => void): unknown;
}

/** A WebSocket as a session knows it. */
export function socketPeer(socket: WebSocketLike): SocketPeer {
  const waiting: (() => void)[] = [];
  const sent = () => {
    if (socket.bufferedAmount > 0) return;
    for (const wake of waiting.splice(0)) wake();
  };
  socket.on('close', () => {
    for (const wake of waiting.splice(0)) wake();
  });
  return {
    send(text) {
      if (socket.readyState !== socket.OPEN) return 0;
      socket.send(text, sent);
      return socket.bufferedAmount;
    },
    drained: () =>
      socket.readyState !== socket.OPEN || socket.bufferedAmount === 0
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push(resolve)),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    // A reason has room for 123 bytes.
    close: (code, reason) => socket.close(code, cut(reason)),
  };
}

function cut(reason: string): string {
  const bytes = Buffer.from(reason);
  return bytes.length <= 120 ? reason : bytes.toString('utf8', 0, 120).replace(/\ufffd+$/, '');
}

import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../core/ports.ts';
import type { Listed } from '../core/roster.ts';
import type { DataDoor } from './data.ts';
import type { Readiness } from './readiness.ts';
import type { SocketDoors } from './sockets.ts';

/** Time for the last words to reach clients that read. */
const lastWordsMs = 1_000;
/** Time for a connection that has said nothing yet to begin. */
const firstWordsMs = 500;

export interface OpenResponse extends Listed {
  readonly response: ServerResponse;
}

export interface DrainParts {
  readonly server: Server;
  readonly data: DataDoor;
  readonly webSockets: SocketDoors;
  readonly readiness: Readiness;
  readonly clock: Clock;
  /** Answers that are not out yet. */
  readonly open: Iterable<OpenResponse>;
  readonly sockets: ReadonlySet<Socket>;
  /** How long answers that are on their way may take. */
  readonly drainMs: number;
  /** How long requests are still taken; null = as long as balancers need to notice. */
  readonly delayMs: number | null;
}

/**
 * Ends a server so that nobody notices: says that it is not ready, goes on for as long as balancers need to see that,
 * answers with `Connection: close` meanwhile, then takes nothing new. What is not over in time is told so, streams with an
 * error event in their dialect.
 */
export async function drain(parts: DrainParts): Promise<void> {
  const { server, data, webSockets, readiness, clock, open, sockets, drainMs, delayMs } = parts;
  readiness.drain();
  for (const { response } of open) response.shouldKeepAlive = false;
  const closesTick = clock.tick() + drainMs;
  const noticeMs = Math.min(delayMs ?? readiness.noticeMs(), drainMs);
  if (noticeMs > 0) await new Promise<void>((resolve) => clock.setTimer(noticeMs, resolve));
  await new Promise<void>((resolve) => {
    const timer = clock.setTimer(Math.max(0, closesTick - clock.tick()), () => {
      data.interruptAll();
      webSockets.interrupt();
      clock.setTimer(lastWordsMs, () => {
        server.closeAllConnections();
        webSockets.terminate();
      });
    });
    webSockets.drain();
    // Clients open connections in advance; one that never sent a byte is not idle in the server's eyes.
    const silence = clock.setTimer(firstWordsMs, () => {
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    });
    server.close(() => {
      timer.cancel();
      silence.cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}

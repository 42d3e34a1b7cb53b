import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly text: string;
  /** Status of each response that came back, in order. */
  readonly statuses: readonly number[];
  /** How long until the other side closed; null when it did not. */
  readonly closedAfterMs: number | null;
}

/** Writes bytes to a port as they are, and reads what comes back until the other side closes or `quietMs` of silence. */
export function exchangeRaw(port: number, bytes: string | Buffer, quietMs = 150): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const chunks: Buffer[] = [];
    let closedAfterMs: number | null = null;
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const done = () => {
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      resolve({ text, statuses: statusesOf(text), closedAfterMs });
    };
    socket.setTimeout(quietMs, done);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      closedAfterMs = performance.now() - startedAt;
      done();
    });
  });
}

function statusesOf(text: string): number[] {
  // 100 Continue is none: the answer is still to come.
  return [...text.matchAll(/^HTTP\/1\.1 ([2-5]\d\d) /gm)].map(([, status]) => Number(status));
}

/** Does something for all, at most `width` at a time. */
export async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lanes = Array.from({ length: Math.min(width, items.length) }, async () => {
    while (next < items.length) {
      const index = next++;
      await work(items[index] as Item, index);
    }
  });
  await Promise.all(lanes);
}

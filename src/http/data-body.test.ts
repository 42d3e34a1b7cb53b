import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../adapters/system-clock.ts';
import { requestBody } from './data-body.ts';

const bytesMax = 100_000;
let server: Server | undefined;
let socket: Socket | undefined;
afterEach(() => {
  socket?.destroy();
  server?.close();
});

/** A server that reads bodies, and what it says to a client that goes on after it was refused. */
async function client() {
  server = createServer((request, response) => {
    requestBody(request, bytesMax, systemClock()).then(
      (body) => response.end(`read ${body.length}`),
      () => response.writeHead(413).end(),
    );
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let said = '';
  let isOpen = true;
  socket.on('data', (bytes) => {
    said += bytes.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    isOpen = false;
  });
  const until = async (is: () => boolean) => {
    while (!is()) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  const head = (length: number) => `POST / HTTP/1.1\r\nhost: here\r\ncontent-length: ${length}\r\n\r\n`;
  return { socket, head, until, said: () => said, isOpen: () => isOpen };
}

it('goes on with a connection once a body that is a little too large has run out', async () => {
  const { socket: to, head, until, said } = await client();
  const length = bytesMax + 40_000;
  to.write(head(length));
  await until(() => said().includes('413'));
  for (const part of [bytesMax, 39_999, 1]) {
    to.write('x'.repeat(part));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  to.write(`${head(3)}abc`);
  await expect.poll(said).toContain('read 3');
});

it('closes on a body that is much too large', async () => {
  const { socket: to, head, until, said, isOpen } = await client();
  to.write(head(10 * bytesMax));
  await until(() => said().includes('413'));
  to.write('x'.repeat(bytesMax + 1));
  await expect.poll(isOpen).toBe(false);
});

import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import type { Reply } from '../core/exchange.ts';
import { headerLine } from '../core/header-text.ts';
import { writeReply } from './reply-writer.ts';

const noLines = Buffer.alloc(0);
let server: Server | undefined;
afterEach(() => server?.close());

/** What goes over the wire when these replies are given to so many requests sent at once on one connection. */
async function wireOf(...replies: Partial<Reply>[]): Promise<string> {
  const waiting = [...replies];
  server = createServer((_request, response) => {
    writeReply(response, { status: 200, headers: [], headerLines: noLines, ...waiting.shift() } as Reply);
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  replies.forEach((_, index) => {
    const connection = index === replies.length - 1 ? 'connection: close\r\n' : '';
    socket.write(`POST / HTTP/1.1\r\nhost: here\r\n${connection}content-length: 0\r\n\r\n`);
  });
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

it('sends the lines as they are, and what belongs to the connection', async () => {
  const body = Buffer.from('{"a":"ü"}');
  const headers = ['content-type', 'application/json'];
  const wire = await wireOf({ headers, headerLines: Buffer.from('x-a: 1\r\nx-b: 2\r\n'), body }, { status: 429, body });
  const [first, firstBody, second, secondBody] = wire.split(/\r\n\r\n|(?=HTTP)/);
  expect(first!.replace(/Date: .*/, 'Date')).toBe(
    [
      'HTTP/1.1 200 OK',
      'content-type: application/json',
      'content-length: 10',
      'Date',
      'Connection: keep-alive',
      'Keep-Alive: timeout=5',
      'x-a: 1',
      'x-b: 2',
    ].join('\r\n'),
  );
  expect(firstBody).toBe('{"a":"ü"}');
  expect(second).toMatch(/^HTTP\/1\.1 429 Too Many Requests\r\ncontent-length: 10\r\n[\s\S]*Connection: close$/);
  expect(secondBody).toBe('{"a":"ü"}');
});

it('sends bodies of every size and byte for byte', async () => {
  for (const size of [0, 1, 8_192, 8_193, 300_000]) {
    const body = Buffer.from(Array.from({ length: size }, (_, index) => 32 + (index % 90)));
    const wire = await wireOf({ body });
    expect(wire.slice(wire.indexOf('\r\n\r\n') + 4)).toBe(body.toString());
    server!.close();
  }
});

it('has no way for a value to become a header of its own', async () => {
  const headers = ['content-type', 'text/plain\r\nx-evil: 1'];
  const wire = await wireOf({
    headers,
    headerLines: Buffer.from(headerLine('x-a', '1\r\nx-evil: 2\u2028\n')),
    body: Buffer.from('.'),
  });
  expect(wire).toContain('content-type: text/plainx-evil: 1\r\n');
  expect(wire).toContain('x-a: 1x-evil: 2\r\n');
});

it('streams in chunks', async () => {
  const body = {
    start(sink: { write(chunk: Buffer): boolean; end(): void }) {
      sink.write(Buffer.from('data: 1\n\n'));
      sink.end();
    },
    resume() {},
    cancel() {},
    interrupt() {},
  };
  const wire = await wireOf({ headerLines: Buffer.from('x-a: 1\r\n'), body: body as unknown as Reply['body'] });
  expect(wire).toMatch(/x-a: 1\r\n[\s\S]*Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n0\r\n\r\n$/);
});

/** A body of these chunks, all at once. */
const streamOf = (chunks: readonly string[]) =>
  ({
    start(sink: { write(chunk: Buffer): boolean; end(): void }) {
      for (const chunk of chunks) sink.write(Buffer.from(chunk));
      sink.end();
    },
    resume() {},
    cancel() {},
    interrupt() {},
  }) as unknown as Reply['body'];

it('frames chunks of every length so that clients put them together again, one stream after the other', async () => {
  const chunks = ['', 'a', 'b'.repeat(15), 'ü'.repeat(8), 'c'.repeat(255), '', 'd'.repeat(256), 'e'.repeat(70_000)];
  server = createServer((_request, response) => {
    writeReply(response, {
      status: 200,
      headers: [],
      headerLines: noLines,
      body: streamOf(chunks),
    } as unknown as Reply);
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (let time = 0; time < 3; time++) expect(await (await fetch(url)).text()).toBe(chunks.join(''));
});

it('streams to clients of HTTP/1.0 until the connection ends', async () => {
  server = createServer((_request, response) => {
    const body = streamOf(['data: 1\n\n', 'data: 2\n\n']);
    writeReply(response, { status: 200, headers: [], headerLines: noLines, body } as unknown as Reply);
  });
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.0\r\n\r\n');
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const wire = Buffer.concat(chunks).toString();
  expect(wire).not.toMatch(/transfer-encoding/i);
  expect(wire).toMatch(/\r\n\r\ndata: 1\n\ndata: 2\n\n$/);
});

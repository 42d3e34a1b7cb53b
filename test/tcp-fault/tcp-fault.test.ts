import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startTcpFaultProxy, type TcpFaultProxy } from './index.ts';

describe('TCP fault proxy', () => {
  let echo: Server;
  let proxy: TcpFaultProxy;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    echo = createServer((socket) => {
      socket.on('error', () => {});
      socket.pipe(socket);
    });
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    proxy = await startTcpFaultProxy({ port: (echo.address() as { port: number }).port });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await proxy.close();
    echo.close();
  });

  async function open(): Promise<Socket> {
    const socket = connect(proxy.port, proxy.host);
    sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  }
  async function ask(socket: Socket, text: string): Promise<{ text: string; ms: number }> {
    const startedTick = performance.now();
    let got = '';
    const arrived = new Promise<void>((resolve) => {
      socket.on('data', function listen(piece: Buffer) {
        got += piece.toString();
        if (got.length < text.length) return;
        socket.off('data', listen);
        resolve();
      });
    });
    socket.write(text);
    await arrived;
    return { text: got, ms: performance.now() - startedTick };
  }
  const isSilent = (socket: Socket, ms: number) =>
    Promise.race([
      once(socket, 'data').then(() => false),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(true), ms)),
    ]);

  it('passes bytes on, both ways, whatever their number, and the end of the stream', async () => {
    const socket = await open();
    const long = 'x'.repeat(3_000_000);
    expect((await ask(socket, long)).text).toBe(long);
    const ended = once(socket, 'end');
    socket.end();
    await ended;
    expect(proxy.connections).toBeLessThanOrEqual(1);
  });

  it('delays answers, and stops when restored', { retry: 2 }, async () => {
    const socket = await open();
    await ask(socket, 'warm');
    proxy.delay(80);
    expect((await ask(socket, 'slow')).ms).toBeGreaterThan(75);
    proxy.delay(60_000);
    const late = ask(socket, 'late');
    await proxy.restore();
    expect(await late).toMatchObject({ text: 'late' });
    expect((await ask(socket, 'fast')).ms).toBeLessThan(75);
  });

  it('keeps bytes in order when the delay changes', async () => {
    const socket = await open();
    proxy.delay(50);
    const all = ask(socket, 'one,two,three,four');
    proxy.delay(5);
    expect((await all).text).toBe('one,two,three,four');
  });

  it('holds everything back in a black hole, also on new connections, and lets it flow afterwards', async () => {
    const old = await open();
    await ask(old, 'warm');
    proxy.blackHole();
    const fresh = await open();
    const first = ask(old, 'old');
    const second = ask(fresh, 'fresh');
    expect(await isSilent(old, 60)).toBe(true);
    await proxy.restore();
    expect((await first).text).toBe('old');
    expect((await second).text).toBe('fresh');
  });

  it('cuts with FIN, resets with RST; new connections work', async () => {
    const cut = await open();
    await ask(cut, 'warm');
    const ended = once(cut, 'end');
    proxy.cut();
    await ended;

    const reset = await open();
    await ask(reset, 'warm');
    const failed = once(reset, 'error');
    proxy.reset();
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
    expect((await ask(await open(), 'again')).text).toBe('again');
  });

  it('refuses connections, and takes them again on the same port', async () => {
    const { port } = proxy;
    const socket = await open();
    const closed = once(socket, 'close');
    await proxy.refuse();
    await closed;
    const refused = connect(port, proxy.host);
    expect((await once(refused, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    await proxy.restore();
    expect(proxy.port).toBe(port);
    expect((await ask(await open(), 'back')).text).toBe('back');
  });

  it('hands on that the server is not there', async () => {
    echo.close();
    const dead = await startTcpFaultProxy({ port: 1 });
    const socket = connect(dead.port, dead.host);
    expect((await once(socket, 'error'))[0]).toMatchObject({ code: 'ECONNRESET' });
    await dead.close();
  });
});

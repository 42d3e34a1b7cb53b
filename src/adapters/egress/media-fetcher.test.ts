import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GatewayError } from '../../core/errors.ts';
import type { MediaLimits } from '../../core/ports.ts';
import { isForbidden } from './forbidden-addresses.ts';
import type { Resolve } from './guarded-lookup.ts';
import { GuardedMediaFetcher } from './media-fetcher.ts';

/** Every connection that reaches the machine's own server is counted: from a forbidden address there must be none. */
let server: Server;
let port: number;
let connections = 0;
const png = Buffer.from('89504e470d0a1a0a', 'hex');

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://here');
    const to = url.searchParams.get('to');
    if (to !== null) response.writeHead(Number(url.searchParams.get('status') ?? 302), { location: to }).end();
    else if (url.pathname === '/page') response.writeHead(200, { 'content-type': 'text/html' }).end('<p>secret</p>');
    else if (url.pathname === '/gone') response.writeHead(404).end('secret');
    else if (url.pathname === '/slow') response.writeHead(200, { 'content-type': 'image/png' }).write('x');
    else if (url.pathname === '/large') {
      response.writeHead(200, { 'content-type': 'image/png' });
      for (let index = 0; index < 50; index++) response.write(Buffer.alloc(1_000));
      response.end();
    } else response.writeHead(200, { 'content-type': 'image/png; x=1' }).end(png);
  });
  server.on('connection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const closed: MediaLimits = { bytesMax: 20_000, timeoutMs: 10_000, allowedHosts: new Set() };
const open = (): MediaLimits => ({ ...closed, allowedHosts: new Set([`127.0.0.1:${port}`]) });

async function refusal(promise: Promise<unknown>): Promise<GatewayError> {
  const cause = await promise.then(
    () => new Error('it was fetched'),
    (error: unknown) => error,
  );
  expect(cause).toBeInstanceOf(GatewayError);
  return cause as GatewayError;
}

/** Many spellings of addresses that are not public. */
function targets(): string[] {
  const v4: number[][] = [];
  for (const second of [0, 1, 16, 31, 64, 127, 168, 254, 255]) {
    for (const first of [0, 10, 100, 127, 169, 172, 192, 198, 224, 240, 255]) v4.push([first, second, 0, 1]);
  }
  const special = v4.filter((parts) => isForbidden(parts.join('.')));
  const spellings = special.flatMap((parts) => {
    const [a, b, c, d] = parts as [number, number, number, number];
    const whole = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
    const high = ((a << 8) | b).toString(16);
    const low = ((c << 8) | d).toString(16);
    return [
      `${a}.${b}.${c}.${d}`,
      `${whole}`,
      `0x${whole.toString(16)}`,
      `0${a.toString(8)}.0${b.toString(8)}.0.01`,
      `${a}.${b}.${d}`,
      `${a}.${b}.${c}.${d}.`,
      `[::ffff:${a}.${b}.${c}.${d}]`,
      `[::${high}:${low}]`,
      `[64:ff9b::${high}:${low}]`,
      `[2002:${high}:${low}::1]`,
    ];
  });
  return [
    ...spellings,
    ...['[::1]', '[::]', '[fe80::1]', '[fec0::1]', '[fc00::1]', '[fd12:3456::1]', '[ff02::1]', '[100::1]'],
    ...['[2001::1]', '[2001:db8::1]', '[5f00::1]', '[3fff::1]', '[::ffff:0:127.0.0.1]', '[64:ff9b:1::1]'],
  ];
}

describe('media by address', () => {
  it('is fetched from hosts that are open to it', async () => {
    const media = await new GuardedMediaFetcher().bring(`http://127.0.0.1:${port}/a.png?sig=1`, open());
    expect(media).toEqual({ mediaType: 'image/png', base64: png.toString('base64') });
  });

  it('never comes from an address that is not public, however it is spelled', async () => {
    const before = connections;
    const all = targets();
    expect(all.length).toBeGreaterThan(400);
    const fetcher = new GuardedMediaFetcher(() => Promise.reject(new Error('no name is looked up')));
    for (const host of all) {
      const error = await refusal(fetcher.bring(`http://${host}:${port}/a.png`, closed));
      expect(error.message, host).toContain('is not a public address');
    }
    expect(connections - before).toBe(0);
  });

  it.each([
    ['localhost', ['127.0.0.1']],
    ['localhost.', ['::1']],
    ['intern.example', ['10.1.2.3']],
    ['half.example', ['93.184.215.14', '127.0.0.1']],
    ['metadata.google.internal', ['169.254.169.254']],
    ['nothing.example', []],
  ])('never comes from a name that leads there: %s', async (host, answers) => {
    const before = connections;
    const resolve: Resolve = async () => answers.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    const error = await refusal(new GuardedMediaFetcher(resolve).bring(`http://${host}:${port}/a.png`, closed));
    expect(error.message).toContain('is not a public address');
    expect(connections - before).toBe(0);
  });

  it('asks for a name once for a connection, so that a second answer is of no use', async () => {
    const asked: string[] = [];
    const resolve: Resolve = async (host) => {
      asked.push(host);
      return [{ address: asked.length === 1 ? '192.0.2.1' : '127.0.0.1', family: 4 }];
    };
    await refusal(new GuardedMediaFetcher(resolve).bring(`http://rebind.example:${port}/a.png`, closed));
    expect(asked).toEqual(['rebind.example']);
  });

  it.each([301, 302, 303, 307, 308])('checks where a redirect (%i) leads', async (status) => {
    const before = connections;
    const start = `http://127.0.0.1:${port}/?status=${status}&to=`;
    for (const to of [
      `http://127.0.0.2:${port}/a.png`,
      'http://[::1]/',
      'file:///etc/passwd',
      'http://a:b@127.0.0.1/',
    ]) {
      await refusal(new GuardedMediaFetcher().bring(start + encodeURIComponent(to), open()));
    }
    expect(connections - before).toBe(4);
    const media = await new GuardedMediaFetcher().bring(`${start}/a.png`, open());
    expect(media.mediaType).toBe('image/png');
  });

  it('refuses a redirect to what is no address', async () => {
    const start = `http://127.0.0.1:${port}/?to=${encodeURIComponent('http://[')}`;
    const error = await refusal(new GuardedMediaFetcher().bring(start, open()));
    expect(error.message).toContain('redirected to what is no address');
  });

  it('does not follow redirects for ever', async () => {
    const loop = `http://127.0.0.1:${port}/?to=${encodeURIComponent('/?to=/%3Fto%3D/%253Fto%253D/%25253Fto%25253D/a')}`;
    const error = await refusal(new GuardedMediaFetcher().bring(loop, open()));
    expect(error.message).toContain('redirected more than 3 times');
  });

  it.each([
    ['/page', 'is no image, sound or document'],
    ['/gone', 'answered 404'],
    ['/slow', 'took too long'],
    ['/large', 'larger than 20000 bytes'],
  ])('tells nothing of what else it finds: %s', async (path, why) => {
    const address = `http://127.0.0.1:${port}${path}?signature=hidden`;
    const limits = path === '/slow' ? { ...open(), timeoutMs: 200 } : open();
    const error = await refusal(new GuardedMediaFetcher().bring(address, limits));
    expect(error.status).toBe(400);
    expect(error.message).toContain(why);
    expect(error.message).not.toMatch(/secret|hidden/);
  });

  it.each([
    'ftp://host/a.png',
    'gopher://host/',
    'http://user:secret@host/a.png',
    'http://secret@host/a.png#secret',
    'http:\\\\user:secret@host\\a.png',
    'not:secret@an address',
  ])('refuses %s, and repeats no secret', async (address) => {
    const { message } = await refusal(new GuardedMediaFetcher().bring(address, closed));
    expect(message).not.toContain('secret');
  });
});

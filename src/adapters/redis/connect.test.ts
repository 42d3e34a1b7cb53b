import { EventEmitter } from 'node:events';
import { SentinelConnector } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type AlertingTls, startAlertingTls, uncaughtDuring } from '../../../test/servers/alerting-tls.ts';
import { redisSettings } from '../../../test/servers/redis-settings.ts';
import { connectRedis, type RedisClient } from './connect.ts';
import { hearErrors } from './unheard-errors.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

/** Redis as far as a greeting goes. */
async function startServer(atOnce: boolean): Promise<AlertingTls> {
  const server = await startAlertingTls({
    atOnce,
    onSecured: (socket) =>
      socket.on('data', (bytes) => {
        for (const word of bytes.toString().match(/^(info|client|select)\r$/gim) ?? []) {
          socket.write(word.toLowerCase() === 'info\r' ? '$21\r\nredis_version:7.0.0\r\n\r\n' : '+OK\r\n');
        }
      }),
  });
  closers.push(server.close);
  return server;
}

function open(port: number, verifiesCertificate: boolean): { client: RedisClient; errors: Error[] } {
  const tls = { verifiesCertificate, verifiesHostname: verifiesCertificate };
  const client = connectRedis(redisSettings(`redis://127.0.0.1:${port}`, { tls }));
  closers.push(() => client.disconnect());
  const errors: Error[] = [];
  client.on('error', (error: Error) => errors.push(error));
  return { client, errors };
}

/** `once` of node:events would reject with the errors that are to be expected. */
const ready = (client: RedisClient) => new Promise<void>((done) => client.once('ready', () => done()));
const pause = (delayMs: number) => new Promise((done) => setTimeout(done, delayMs));

describe('an alert of the server', () => {
  it.each(['while it is used', 'while it is being left'])(
    '%s, and then a reset, does not end the program',
    async (when) => {
      const server = await startServer(false);
      const { client, errors } = open(server.port, false);
      await ready(client);
      const uncaught = await uncaughtDuring(async () => {
        server.stopReading();
        void client.set('large', Buffer.alloc(30_000_000)).catch(() => {});
        await pause(50);
        server.alertAndReset();
        if (when === 'while it is being left') client.disconnect();
        else await ready(client);
        await pause(50);
      });
      expect(uncaught).toEqual([]);
      if (when === 'while it is used') expect(errors).toHaveLength(1);
    },
  );

  it('together with a certificate that is refused, does not end the program', async () => {
    const server = await startServer(true);
    const { errors } = open(server.port, true);
    const uncaught = await uncaughtDuring(() => vi.waitFor(() => expect(errors.length).toBeGreaterThan(2)));
    expect(uncaught).toEqual([]);
    expect(errors[0]?.message).toContain('self-signed');
  });
});

it('every connection that the client opens, by whatever part of it, bears errors that nobody waits for', () => {
  hearErrors();
  const connector = new SentinelConnector({ sentinels: [{ host: 'nowhere', port: 1 }], name: 'primary' });
  const socket = Object.assign(new EventEmitter(), { destroy: vi.fn() });
  Object.assign(connector, { stream: socket });
  expect((connector as unknown as { stream: unknown }).stream).toBe(socket);
  expect(() => socket.emit('error', new Error('an alert'))).not.toThrow();
  expect(socket.destroy).toHaveBeenCalled();
});

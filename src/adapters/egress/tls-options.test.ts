import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { egressSettings } from '../../config/egress-settings.ts';
import { loadConfigText } from '../../config/load.ts';
import { type EgressSettings, plainEgress } from '../../core/egress.ts';
import { undiciTransport } from '../undici-transport.ts';
import { tlsOptions } from './tls-options.ts';

const folder = join(import.meta.dirname, '../../../test/servers/tls');
const file = join(folder, 'localhost.pem');
const certificate = readFileSync(file, 'utf8');
const key = readFileSync(join(folder, 'localhost-key.pem'), 'utf8');
/** Takes whoever shows a certificate that it knows, and says who. */
const server = createServer(
  { cert: certificate, key, ca: certificate, requestCert: true, rejectUnauthorized: false },
  (request, response) => response.end(String((request.socket as unknown as { authorized: boolean }).authorized)),
);
let port: number;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());

async function asked(more: Partial<EgressSettings>): Promise<string> {
  const transport = undiciTransport({ ...plainEgress, ...more });
  const { promise, resolve } = Promise.withResolvers<string>();
  let body = '';
  transport.send(
    {
      origin: `https://localhost:${port}`,
      method: 'GET',
      path: '/',
      headers: [],
      body: null,
      connectTimeoutMs: 2_000,
      freshConnection: true,
    },
    {
      onHeaders() {},
      onBytes(chunk) {
        body += chunk.toString();
      },
      onEnd: () => resolve(body),
      onError: ({ kind }) => resolve(kind),
    },
  );
  return promise.finally(() => transport.close());
}

describe('certificates', () => {
  test('of the other side are checked, unless the operator trusts them or does not want it', async () => {
    expect(await asked({})).toBe('tls');
    expect(await asked({ trusted: certificate })).toBe('false');
    expect(await asked({ verifies: false })).toBe('false');
  });

  test('of our own are shown', async () => {
    expect(await asked({ trusted: certificate, identity: `${certificate}\n${key}` })).toBe('true');
  });

  test('nothing set changes nothing', () => {
    expect(tlsOptions(plainEgress)).toBeUndefined();
    expect(tlsOptions({ ...plainEgress, ipv4Only: true })).toMatchObject({ family: 4 });
  });
});

describe('settings', () => {
  const read = (text: string, environment = {}) =>
    egressSettings(loadConfigText(text, 'config.yaml', environment).config!, environment);

  test('stand in the file, or in the environment', () => {
    expect(read('model_list: []')).toEqual(plainEgress);
    expect(read('litellm_settings: { ssl_verify: false, force_ipv4: true }')).toMatchObject({
      verifies: false,
      ipv4Only: true,
    });
    expect(read('model_list: []', { SSL_VERIFY: 'False' }).verifies).toBe(false);
    expect(read('litellm_settings: { ssl_verify: true }', { SSL_VERIFY: 'False' }).verifies).toBe(true);
    expect(read(`litellm_settings: { ssl_verify: ${file} }`)).toMatchObject({ verifies: true, trusted: certificate });
    expect(read('model_list: []', { SSL_CERT_FILE: file }).trusted).toBe(certificate);
  });

  test('that name a file which is not there, or holds none, say which', () => {
    expect(() => read('litellm_settings:\n  ssl_verify: /nowhere/ca.pem')).toThrow(
      /config\.yaml:2:15 litellm_settings\.ssl_verify: \/nowhere\/ca\.pem cannot be read \(ENOENT\)/,
    );
    expect(() => read(`litellm_settings: { ssl_certificate: ${import.meta.filename} }`)).toThrow(
      /holds no certificate/,
    );
  });
});

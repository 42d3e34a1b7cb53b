import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeProvider, startFakeProvider } from '../fake-provider/index.ts';
import { type GatewayRig, startGatewayRig } from './gateway-rig.ts';
import { deployment } from './support/config-text.ts';

/** Images that callers name by address reach a model that takes bytes only. */
let fake: FakeProvider;
let rig: GatewayRig;
let images: Server;
let address: string;
let asked = 0;

beforeAll(async () => {
  fake = await startFakeProvider();
  images = createServer((_, response) => {
    asked += 1;
    response.writeHead(200, { 'content-type': 'image/png' }).end('PNG!');
  });
  images.listen(0, '127.0.0.1');
  await once(images, 'listening');
  const host = `127.0.0.1:${(images.address() as AddressInfo).port}`;
  address = `http://${host}/cat.png`;
  rig = await startGatewayRig(`model_list:
${deployment('local', fake.url, 'ollama/llava')}
${deployment('cloud', fake.url, 'openai/gpt-4o')}
general_settings: {media_fetch: {allowed_hosts: ["${host}"]}}
`);
});
afterAll(async () => {
  await rig.close();
  await fake.close();
  images.close();
});

const bytes = Buffer.from('PNG!').toString('base64');

describe('an image by address', () => {
  test('is brought in for a model that takes bytes only', async () => {
    const content = [
      { type: 'text', text: 'What is it?' },
      { type: 'image_url', image_url: { url: address } },
    ];
    const reply = await rig.post('/v1/chat/completions', { model: 'local', messages: [{ role: 'user', content }] });
    expect(reply.status).toBe(200);
    expect(fake.requests.at(-1)?.body.toString()).toContain(`"images":["${bytes}"]`);
  });

  test('is brought in from the other format, too', async () => {
    const content = [
      { type: 'text', text: 'What is it?' },
      { type: 'image', source: { type: 'url', url: address } },
    ];
    const body = { model: 'local', max_tokens: 50, messages: [{ role: 'user', content }] };
    expect((await rig.post('/v1/messages', body)).status).toBe(200);
    expect(fake.requests.at(-1)?.body.toString()).toContain(`"images":["${bytes}"]`);
  });

  test('travels as it is to a model that fetches it itself', async () => {
    const before = asked;
    const content = [{ type: 'image_url', image_url: { url: address } }];
    await rig.post('/v1/chat/completions', { model: 'cloud', messages: [{ role: 'user', content }] });
    expect(fake.requests.at(-1)?.body.toString()).toContain(address);
    expect(asked).toBe(before);
  });

  test('on a private network is the caller’s mistake, told in its own words', async () => {
    const before = fake.requests.length;
    const content = [
      { type: 'image_url', image_url: { url: 'http://169.254.169.254/latest/meta-data/?token=hidden' } },
    ];
    const reply = await rig.post('/v1/chat/completions', { model: 'local', messages: [{ role: 'user', content }] });
    expect(reply.status).toBe(400);
    const { error } = (await reply.json()) as { error: { message: string; type: string; param: string } };
    expect(error).toMatchObject({ type: 'invalid_request_error', param: 'messages' });
    expect(error.message).toContain('The model at Ollama takes no addresses');
    expect(error.message).toContain('169.254.169.254 is not a public address');
    expect(error.message).not.toContain('hidden');
    expect(fake.requests.length).toBe(before);
  });
});

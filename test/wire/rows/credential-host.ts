import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { seeded } from '../../chaos/row.ts';
import { masterKey } from '../../journeys/support/gateway-process.ts';
import { fakeIn, gatewayIn } from '../gateway.ts';
import { inParallel } from '../raw-socket.ts';
import { inPlace, type WireRow } from '../row.ts';

const canary = 'sk-canary-of-the-provider-0123456789';

/**
 * Promise 14: a provider's key goes to the provider's host and nowhere else, whatever callers write into bodies, headers
 * and paths, whatever the environment says of proxies, and wherever the provider redirects to.
 */
export const credentialHostRow: WireRow = {
  row: 14,
  kind: 'wire',
  promise: 'A provider key goes only to its host',
  target: 'the key seen anywhere else: 0 of 500 variants',
  run: (size) =>
    inPlace(async (place) => {
      const broken: string[] = [];
      const stolen: string[] = [];
      let visits = 0;
      const thief: Server = createServer((request, response) => {
        visits += 1;
        request.setEncoding('utf8');
        let body = '';
        request.on('data', (piece) => {
          body += piece;
        });
        request.on('end', () => {
          if (`${request.url}${JSON.stringify(request.rawHeaders)}${body}`.includes(canary))
            stolen.push(`${request.url}`);
          response.end('{}');
        });
      });
      await new Promise<void>((resolve) => thief.listen(0, '127.0.0.1', resolve));
      place.onEnd(() => thief.close());
      const there = `127.0.0.1:${(thief.address() as AddressInfo).port}`;
      const fake = await fakeIn(place);
      const gateway = await gatewayIn(place, {
        env: {
          HTTP_PROXY: `http://${there}`,
          HTTPS_PROXY: `http://${there}`,
          http_proxy: `http://${there}`,
          ALL_PROXY: `http://${there}`,
        },
        config: `
model_list:
  - {model_name: m, litellm_params: {model: openai/m, api_base: "http://127.0.0.1:${fake.port}/v1", api_key: ${canary}}}
  - {model_name: claude, litellm_params: {model: anthropic/c, api_base: "http://127.0.0.1:${fake.port}", api_key: ${canary}}}
  - {model_name: "any/*", litellm_params: {model: "openai/*", api_base: "http://127.0.0.1:${fake.port}/v1", api_key: ${canary}}}
router_settings: {num_retries: 1, disable_cooldowns: true}
`,
      });
      const count = size === 'short' ? 120 : 2_000;
      const random = seeded(14);
      const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
      await inParallel(Array.from({ length: count }), 6, async () => {
        const address = pick([
          `http://${there}`,
          `http://${there}/v1`,
          `//${there}`,
          `http://127.0.0.1:${fake.port}@${there}`,
          there,
        ]);
        const field = pick([
          'api_base',
          'base_url',
          'api_key',
          'custom_host',
          'endpoint',
          'azure_endpoint',
          'organization',
          'api_version',
        ]);
        const header = pick([
          'x-portkey-custom-host',
          'host',
          'x-forwarded-host',
          'x-api-base',
          'x-original-url',
          'forwarded',
          'x-litellm-api-base',
        ]);
        const name = pick(['m', 'claude', `any/../../${there}/x`, `any/x@${there}`, 'any/x#y', 'any/x?y=http://thief']);
        const redirect = random() < 0.4;
        if (redirect)
          fake.enqueue({
            status: pick([301, 302, 303, 307, 308]),
            headers: { location: `http://${there}/v1/chat/completions` },
          });
        const body: Record<string, unknown> = {
          model: name,
          messages: [{ role: 'user', content: 'Hello' }],
          max_tokens: 5,
        };
        if (random() < 0.6) body[field] = address;
        if (random() < 0.2) body.extra_headers = { host: there, 'x-forwarded-host': there };
        if (random() < 0.2) body.extra_body = { [field]: address };
        if (random() < 0.2) body.fallbacks = [{ model: 'm', [field]: address }];
        if (random() < 0.2)
          body.user_config = {
            model_list: [{ model_name: 'm', litellm_params: { model: 'openai/m', api_base: address } }],
          };
        const path =
          name === 'claude'
            ? '/v1/messages'
            : pick(['/v1/chat/completions', `/engines/${encodeURIComponent(name)}/chat/completions`]);
        const answer = await fetch(gateway.url + path, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${masterKey}`,
            'content-type': 'application/json',
            [header === 'host' ? 'x-host' : header]: address,
          },
          body: JSON.stringify(body),
          redirect: 'manual',
        });
        const text = await answer.text();
        if (text.includes(canary) || JSON.stringify([...answer.headers]).includes(canary))
          stolen.push(`answer of ${path}`);
      });
      if (gateway.log().includes(canary)) stolen.push('log');
      if (stolen.length > 0)
        broken.push(`the key was seen elsewhere ${stolen.length} times: ${stolen.slice(0, 5).join(', ')}`);
      if (visits > 0) broken.push(`${visits} calls went to a host that no deployment names`);
      const kept = fake.requests.length;
      if (kept === 0) broken.push('no request reached the provider: the trial proves nothing');
      return {
        figures: {
          variants: count,
          'the key seen elsewhere': stolen.length,
          'calls to other hosts': visits,
          'calls to the provider': kept,
        },
        broken,
      };
    }),
};

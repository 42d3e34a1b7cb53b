import { seeded } from '../../chaos/row.ts';
import { masterKey } from '../../journeys/support/gateway-process.ts';
import { type Attack, attacks } from '../framing-attacks.ts';
import { fakeIn, gatewayIn, model } from '../gateway.ts';
import { exchangeRaw, inParallel } from '../raw-socket.ts';
import { inPlace, type WireRow } from '../row.ts';

/**
 * Promise 29: requests are framed as the standard says or not at all. Every attack carries a second request inside the
 * first; the provider must never be asked what that one asks. And whatever is done to Host, path and encoding, a key that
 * may only chat never reads anything of the control plane.
 */
export const framingRow: WireRow = {
  row: 29,
  kind: 'wire',
  promise: 'No smuggling, no route confusion',
  target: 'desync 0 of at least 80 framing attacks; a route reached without the right to it 0 of 10,000',
  run: (size) =>
    inPlace(async (place) => {
      const broken: string[] = [];
      const fake = await fakeIn(place);
      const gateway = await gatewayIn(place, { config: `model_list:\n${model('m', fake.port)}` });
      const port = Number(new URL(gateway.url).port);
      let desyncs = 0;
      let accepted = 0;
      await inParallel(attacks(masterKey), 4, async (attack: Attack) => {
        const answer = await exchangeRaw(port, attack.bytes);
        const smuggled = fake.requests.some(({ body }) => body.includes(attack.mark));
        const isConfused = answer.statuses.length > attack.answersMax;
        if (answer.statuses[0] === 200) accepted += 1;
        if (smuggled || isConfused) {
          desyncs += 1;
          broken.push(`${attack.name}: ${smuggled ? 'the inner request was served' : `answers ${answer.statuses}`}`);
        }
        if (answer.statuses.some((status) => status >= 500)) broken.push(`${attack.name}: answered ${answer.statuses}`);
      });

      const made = await gateway.post('/key/generate', { models: ['m'], allowed_routes: ['llm_api_routes'] });
      const { key } = (await made.json()) as { key: string };
      const count = size === 'short' ? 400 : 10_000;
      const random = seeded(29);
      const targets = Array.from({ length: count }, () => twisted(random));
      let reached = 0;
      await inParallel(targets, 8, async ({ path, host, absolute }) => {
        const line = absolute ? `GET http://${host}${path} HTTP/1.1` : `GET ${path} HTTP/1.1`;
        const head = `${line}\r\nHost: ${host}\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n\r\n`;
        const { text, statuses } = await exchangeRaw(port, Buffer.from(head, 'latin1'), 3_000);
        const isOpen = /"(token|key_name|keys|spend|litellm_params|user_id|team_id)"/.test(text);
        if ((statuses[0] === 200 && isOpen) || (statuses[0] ?? 0) >= 500) {
          reached += 1;
          if (reached <= 5) broken.push(`${line}: ${statuses[0]} ${text.slice(-120)}`);
        }
      });
      if (reached > 0) broken.push(`${reached} targets reached the control plane`);
      return {
        figures: {
          'framing attacks': attacks(masterKey).length,
          desync: desyncs,
          'attacks that were valid HTTP after all (served once, the rest as a body)': accepted,
          'routes reached without the right to them': `${reached} of ${count}`,
        },
        broken,
      };
    }),
};

const secretPaths = [
  '/key/list',
  '/spend/logs',
  '/user/list',
  '/team/list',
  '/model/info',
  '/global/spend/keys',
  '/audit',
];
const openPaths = ['/v1/models', '/health/liveliness', '/v1/chat/completions', '/models'];

/** A path of the control plane, twisted so that a second look at it might see one that is open to all. */
function twisted(random: () => number): { path: string; host: string; absolute: boolean } {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const secret = pick(secretPaths);
  const open = pick(openPaths);
  const encodeSome = (text: string) =>
    text.replace(/[a-z./]/g, (one) => (random() < 0.2 ? `%${one.charCodeAt(0).toString(16).padStart(2, '0')}` : one));
  const path = pick([
    () => secret,
    () => encodeSome(secret),
    () => encodeSome(encodeSome(secret)),
    () => `${open}/..${secret}`,
    () => `${open}/%2e%2e${secret}`,
    () => `${open}/..;${secret}`,
    () => `/${secret}`,
    () => `//x${secret}`,
    () => `${secret}/`,
    () => `${secret}/${open}`,
    () => `${secret}?path=${open}`,
    () => `${secret}%3f${open}`,
    () => `${secret}#${open}`,
    () => `${secret};${open}`,
    () => `${open}%00${secret}`,
    () => `${open}\\..${secret.replaceAll('/', '\\')}`,
    () => secret.toUpperCase(),
    () => `/.${secret}`,
    () => `${secret}%20`,
    () => `/v1${secret}`,
  ])();
  const host = pick([
    'localhost',
    '127.0.0.1',
    'localhost:4000',
    'admin.internal',
    'x@localhost',
    `localhost${open}`,
    '',
  ]);
  return { path, host, absolute: random() < 0.2 };
}

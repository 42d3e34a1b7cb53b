import { createHash } from 'node:crypto';
import { AuthorizationError } from '../../core/provider.ts';
import { defineProvider } from '../define.ts';
import { askedJson, form } from '../signed-token.ts';
import { tokenHeader } from '../token-header.ts';

const tokenAddress = 'https://ngw.devices.sberbank.ru:9443/api/v2/oauth';
const service = 'the GigaChat token service';

/** Its certificates are signed by an authority of its own: NODE_EXTRA_CA_CERTS names the file. */
export const gigachat = defineProvider({
  id: 'gigachat',
  name: 'GigaChat',
  documentation: 'https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/gigachat-api',
  checkedAgainst: 'gigachat 0.0.20, the models of its Python SDK, its page on files',
  baseUrl: 'https://gigachat.devices.sberbank.ru/api/v1',
  baseUrlVariable: 'GIGACHAT_BASE_URL',
  credentialVariable: 'GIGACHAT_CREDENTIALS',
  otherCredentialVariables: ['GIGACHAT_API_KEY'],
  environmentVariables: ['GIGACHAT_SCOPE', 'GIGACHAT_AUTH_URL'],
  auth: () => [],
  authorize: ({ credential, environment = {} }) => {
    if (credential === null) return undefined;
    const scope = environment.GIGACHAT_SCOPE ?? 'GIGACHAT_API_PERS';
    const address = environment.GIGACHAT_AUTH_URL ?? tokenAddress;
    const key = credential.reveal();
    return tokenHeader(['gigachat', address, scope, key], async (outside) => {
      const id = requestId(key, outside.now());
      const asked = form(address, { scope }, ['authorization', `Basic ${key}`, 'rquid', id]);
      const { access_token: value, expires_at: expiresAt } = await askedJson(outside, service, asked);
      if (typeof value !== 'string') throw new AuthorizationError(`${service} answered without a token`);
      return { value, expiresAt: typeof expiresAt === 'number' ? expiresAt : outside.now() + 25 * 60_000 };
    });
  },
  dialects: { chat: ['gigachat-chat'], embedding: ['openai-embeddings'] },
  usageInStream: 'always',
  traits: () => ({ supportsImageUrls: false }),
});

/** A UUID for each request, as the service wants one. */
function requestId(key: string, now: number): string {
  const hex = createHash('sha256').update(`${now} ${key}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

import { createHash, createPublicKey } from 'node:crypto';
import { AuthorizationError, type Authorize, type ConnectionSettings } from '../../core/provider.ts';
import { sharedTokenSource } from '../../core/token-source.ts';
import { claudeTraits } from '../claude-generation.ts';
import { defineProvider } from '../define.ts';
import { signedToken } from '../signed-token.ts';

const lifetimeSeconds = 3_300;
const tokenType = 'x-snowflake-authorization-token-type';

/** Cortex in both formats it speaks, with a token or a private key. */
export const snowflake = defineProvider({
  id: 'snowflake',
  name: 'Snowflake Cortex',
  documentation: 'https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api',
  baseUrl: null,
  baseUrlVariable: 'SNOWFLAKE_API_BASE',
  credentialVariable: 'SNOWFLAKE_JWT',
  environmentVariables: ['SNOWFLAKE_ACCOUNT_ID', 'SNOWFLAKE_USER', 'SNOWFLAKE_PRIVATE_KEY'],
  auth: ({ credential }) => {
    if (credential === null) return [];
    const key = credential.reveal();
    // `pat/` says that it is a programmatic access token.
    if (key.startsWith('pat/')) return headers(key.slice('pat/'.length), 'PROGRAMMATIC_ACCESS_TOKEN');
    return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(key) ? headers(key, 'KEYPAIR_JWT') : ['authorization', `Bearer ${key}`];
  },
  authorize: keyPair,
  dialects: { chat: ['openai-chat', 'anthropic-messages'] },
  adjust: (settings) => ({ ...settings, baseUrl: settings.baseUrl ?? addressOf(settings) }),
  modelsPath: null,
  traits: (model) => (model.startsWith('claude') ? { ...claudeTraits(model) } : { soleDialect: 'openai-chat' }),
});

function headers(token: string, type: string): string[] {
  return ['authorization', `Bearer ${token}`, tokenType, type];
}

function addressOf(settings: ConnectionSettings): string | null {
  const account = accountOf(settings);
  return account === undefined ? null : `https://${account}.snowflakecomputing.com/api/v2/cortex/v1`;
}

function accountOf({ extra, environment = {} }: ConnectionSettings): string | undefined {
  return textOf(extra.account_id) ?? environment.SNOWFLAKE_ACCOUNT_ID;
}

/** The token is made here: who, for how long, signed with the private key. */
function keyPair(settings: ConnectionSettings): Authorize | undefined {
  const { credential, extra, environment = {} } = settings;
  const privateKey = textOf(extra.snowflake_private_key) ?? environment.SNOWFLAKE_PRIVATE_KEY;
  const user = textOf(extra.snowflake_user) ?? environment.SNOWFLAKE_USER;
  const account = accountOf(settings);
  if (credential !== null || privateKey === undefined || user === undefined || account === undefined) return undefined;
  const source = sharedTokenSource(['snowflake', account, user, privateKey], async (outside) => {
    // The account alone, without the region that its address may name.
    const subject = `${account.split('.', 1)[0]!.toUpperCase()}.${user.toUpperCase()}`;
    const issuedAt = Math.floor(outside.now() / 1_000);
    const claims = {
      iss: `${subject}.${fingerprint(privateKey)}`,
      sub: subject,
      iat: issuedAt,
      exp: issuedAt + lifetimeSeconds,
    };
    return {
      value: headers(signedToken(claims, privateKey), 'KEYPAIR_JWT'),
      expiresAt: (issuedAt + lifetimeSeconds) * 1_000,
    };
  });
  return (_call, outside) => source.get(outside);
}

function fingerprint(privateKey: string): string {
  try {
    const key = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    return `SHA256:${createHash('sha256').update(key).digest('base64')}`;
  } catch {
    throw new AuthorizationError('snowflake_private_key cannot be read: expected PEM');
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

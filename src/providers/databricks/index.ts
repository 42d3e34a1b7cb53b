import type { Authorize, ConnectionSettings } from '../../core/provider.ts';
import { bearer, defineProvider } from '../define.ts';
import { askedJson, form, tokenIn } from '../signed-token.ts';
import { tokenHeader } from '../token-header.ts';

/** A workspace's serving endpoints, with a personal token or as a service principal. */
export const databricks = defineProvider({
  id: 'databricks',
  name: 'Databricks',
  documentation: 'https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference',
  baseUrl: null,
  baseUrlVariable: 'DATABRICKS_API_BASE',
  credentialVariable: 'DATABRICKS_API_KEY',
  otherCredentialVariables: ['DATABRICKS_TOKEN'],
  environmentVariables: ['DATABRICKS_HOST', 'DATABRICKS_CLIENT_ID', 'DATABRICKS_CLIENT_SECRET'],
  auth: bearer(),
  authorize: servicePrincipal,
  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },
  usageInStream: 'stream_options',
  adjust: (settings) => ({ ...settings, baseUrl: address(settings) }),
  modelsPath: null,
});

function address({ baseUrl, environment = {} }: ConnectionSettings): string | null {
  const given = baseUrl ?? environment.DATABRICKS_HOST ?? null;
  if (given === null || !/^https?:\/\/[^/]+\/?$/.test(given)) return given;
  return `${given.replace(/\/+$/, '')}/serving-endpoints`;
}

function servicePrincipal(settings: ConnectionSettings): Authorize | undefined {
  const { credential, extra, environment = {} } = settings;
  const client = textOf(extra.client_id) ?? environment.DATABRICKS_CLIENT_ID;
  const secret = textOf(extra.client_secret) ?? environment.DATABRICKS_CLIENT_SECRET;
  const base = address(settings);
  if (credential !== null || client === undefined || secret === undefined || base === null) return undefined;
  const what = 'the Databricks token service';
  const service = `${URL.canParse(base) ? new URL(base).origin : base}/oidc/v1/token`;
  const basic = ['authorization', `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`];
  return tokenHeader(['databricks', service, client, secret], async (outside) => {
    const grant = { grant_type: 'client_credentials', scope: 'all-apis' };
    return tokenIn(await askedJson(outside, what, form(service, grant, basic)), what, outside.now());
  });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

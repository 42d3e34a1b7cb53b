import type { Outside } from '../core/ports.ts';
import type { Authorize, ConnectionSettings } from '../core/provider.ts';
import type { Expiring } from '../core/token-source.ts';
import { askedJson, fileText, form, tokenIn } from './signed-token.ts';
import { tokenHeader } from './token-header.ts';

/* Tokens of Microsoft Entra ID: https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow */

const scopeDefault = 'https://cognitiveservices.azure.com/.default';
const machineAddress = 'http://169.254.169.254/metadata/identity/oauth2/token';
const service = 'Microsoft Entra ID';
const machine = 'the managed identity';

export const entraVariables: readonly string[] = [
  'AZURE_TENANT_ID',
  'AZURE_CLIENT_ID',
  'AZURE_CLIENT_SECRET',
  'AZURE_FEDERATED_TOKEN_FILE',
  'AZURE_AUTHORITY_HOST',
  'AZURE_SCOPE',
  'AZURE_CREDENTIAL',
  'IDENTITY_ENDPOINT',
  'IDENTITY_HEADER',
];

/** undefined where nothing of Entra's is set up: a key is needed then. */
export function entraAuthorize(settings: ConnectionSettings): Authorize | undefined {
  if (settings.credential !== null) return undefined;
  const { extra, environment = {} } = settings;
  const text = (name: string) => (typeof extra[name] === 'string' && extra[name] !== '' ? extra[name] : undefined);
  const tenant = text('tenant_id') ?? environment.AZURE_TENANT_ID;
  const client = text('client_id') ?? environment.AZURE_CLIENT_ID;
  const secret = text('client_secret') ?? environment.AZURE_CLIENT_SECRET;
  const tokenFile = environment.AZURE_FEDERATED_TOKEN_FILE;
  const scope = text('azure_scope') ?? environment.AZURE_SCOPE ?? scopeDefault;
  const authority = (environment.AZURE_AUTHORITY_HOST ?? 'https://login.microsoftonline.com').replace(/\/+$/, '');
  const identity = ['entra', authority, tenant ?? null, client ?? null, secret ?? null, tokenFile ?? null, scope];

  if (tenant !== undefined && client !== undefined && (secret ?? tokenFile) !== undefined) {
    const address = `${authority}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`;
    return tokenHeader(identity, async (outside) => {
      const proof: Record<string, string> =
        secret !== undefined
          ? { client_secret: secret }
          : {
              client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
              client_assertion: (await fileText(outside, 'AZURE_FEDERATED_TOKEN_FILE', tokenFile!)).trim(),
            };
      const asked = form(address, { grant_type: 'client_credentials', client_id: client, scope, ...proof });
      return tokenIn(await askedJson(outside, service, asked), service, outside.now());
    });
  }
  const { IDENTITY_ENDPOINT: endpoint, IDENTITY_HEADER: header, AZURE_CREDENTIAL: kind } = environment;
  if (endpoint === undefined && kind !== 'ManagedIdentityCredential' && kind !== 'DefaultAzureCredential') {
    return undefined;
  }
  const place = { endpoint, header, client, resource: scope.replace(/\/\.default$/, '') };
  return tokenHeader([...identity, endpoint ?? null], (outside) => managedIdentity(place, outside));
}

interface MachinePlace {
  readonly endpoint: string | undefined;
  readonly header: string | undefined;
  readonly client: string | undefined;
  readonly resource: string;
}

/** Of an app service, which says where to ask, or of the machine. */
async function managedIdentity(place: MachinePlace, outside: Outside): Promise<Expiring<string>> {
  const { endpoint, header, client, resource } = place;
  const query = new URLSearchParams({
    'api-version': endpoint === undefined ? '2018-02-01' : '2019-08-01',
    resource,
    ...(client === undefined ? {} : { client_id: client }),
  });
  const headers = endpoint === undefined ? ['metadata', 'true'] : ['x-identity-header', header ?? ''];
  const address = `${endpoint ?? machineAddress}?${query}`;
  const body = await askedJson(outside, machine, { method: 'GET', address, headers, body: null, timeoutMs: 5_000 });
  const endsAt = Number(body.expires_on);
  const now = outside.now();
  const lasts = Number.isFinite(endsAt) && endsAt > 0 ? { expires_in: endsAt - now / 1_000 } : {};
  return tokenIn({ ...body, ...lasts }, machine, now);
}

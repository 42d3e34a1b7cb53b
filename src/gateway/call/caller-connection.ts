import { GatewayError } from '../../core/errors.ts';
import type { Admitted } from '../../core/exchange.ts';
import { type ProviderEndpoint, ProviderSettingsError } from '../../core/provider.ts';
import type { Deployment } from '../../core/route.ts';
import { Secret } from '../../core/secret.ts';

const addressFields: ReadonlySet<string> = new Set(['api_base', 'base_url']);

/**
 * The endpoint to use: the deployment's own, or one made of the connection fields the caller set, where the operator
 * lets callers set them. The operator's credential never travels to an address that a caller chose.
 */
export function endpointFor(exchange: Admitted, deployment: Deployment): ProviderEndpoint {
  const { connection } = exchange.options;
  const fields = Object.keys(connection);
  if (fields.length === 0) return deployment.endpoint;
  for (const field of fields) if (!allowed(exchange, deployment, field, connection[field] as string)) refuse(field);
  const apiKey = connection.api_key;
  const baseUrl = connection.api_base ?? connection.base_url;
  if (apiKey === undefined && baseUrl !== undefined && baseUrl !== deployment.apiBase) {
    throw new GatewayError(
      'client_credentials_refused',
      'api_base was set without api_key: the configured key is only sent to the configured address. Send api_key too.',
      { param: 'api_key' },
    );
  }
  try {
    return deployment.provider.endpoint({
      baseUrl: baseUrl ?? deployment.apiBase,
      credential: apiKey === undefined ? null : new Secret(apiKey),
      model: deployment.model,
      apiVersion: connection.api_version ?? null,
      organization: connection.organization ?? null,
      extra: {},
      headers: {},
    });
  } catch (cause) {
    if (!(cause instanceof ProviderSettingsError)) throw cause;
    throw new GatewayError('client_credentials_refused', `${cause.key}: ${cause.message}`, { param: cause.key });
  }
}

function allowed(exchange: Admitted, deployment: Deployment, field: string, value: string): boolean {
  if (exchange.snapshot.settings.callerCredentialsAllowed) return true;
  for (const rule of deployment.callerMaySet) {
    const same = rule.field === field || (addressFields.has(rule.field) && addressFields.has(field));
    if (same && (rule.pattern === null || rule.pattern.isIn(value))) return true;
  }
  return false;
}

function refuse(field: string): never {
  throw new GatewayError(
    'client_credentials_refused',
    `${field} is set in the request, which this gateway does not allow for this model. Remove it, or have the operator list it under configurable_clientside_auth_params.`,
    { param: field },
  );
}

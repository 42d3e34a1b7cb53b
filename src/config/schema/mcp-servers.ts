import { anything, dollars, flag, key, map, mapOf, oneOf, secret, text, texts } from '../field.ts';

export const mcpServers = mapOf(
  map({
    url: key(text(), 'Address.'),
    transport: key(oneOf('sse', 'http', 'stdio'), 'How the server is spoken to.', 'sse'),
    command: key(text(), 'Program of a `stdio` server.'),
    args: key(texts(), 'Its arguments.'),
    env: key(mapOf(text()), 'Its environment.'),
    auth_type: key(
      oneOf('none', 'api_key', 'bearer_token', 'basic', 'authorization', 'oauth2', 'token', 'aws_sigv4'),
      'How the gateway signs in.',
      'none',
    ),
    auth_value: key(secret(), 'Credential.'),
    authentication_token: key(secret(), 'Credential.'),
    authorization_url: key(text(), 'OAuth 2 authorization address.'),
    token_url: key(text(), 'OAuth 2 token address.'),
    registration_url: key(text(), 'OAuth 2 registration address.'),
    client_id: key(text(), 'OAuth 2 client.'),
    client_secret: key(secret(), 'OAuth 2 client secret.'),
    scopes: key(texts(), 'OAuth 2 scopes.'),
    extra_headers: key(texts(), 'Names of caller headers that are passed on.'),
    static_headers: key(mapOf(text()), 'Headers added.'),
    allowed_tools: key(texts(), 'Tools that may be called.', 'all'),
    disallowed_tools: key(texts(), 'Tools that may not be called.'),
    allowed_params: key(mapOf(texts()), 'Parameters by tool.'),
    allow_all_keys: key(flag(), 'Every key may use the server.', 'false'),
    access_groups: key(texts(), 'Access groups.'),
    alias: key(text(), 'Short name.'),
    description: key(text(), 'Shown to callers.'),
    spec_path: key(text(), 'OpenAPI document the tools are made from.'),
    mcp_info: key(
      map({
        mcp_server_cost_info: key(
          map({
            default_cost_per_query: key(dollars(), 'Price of a call.'),
            tool_name_to_cost_per_query: key(mapOf(dollars()), 'Price of a call by tool.'),
          }),
          'Prices.',
        ),
      }).catchall(anything()),
      'Prices and shown facts.',
    ),
  }).catchall(anything()),
);

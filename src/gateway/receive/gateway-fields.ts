import type { JsonObject } from '../../core/json.ts';
import type { DialectName } from '../../core/operation.ts';

/** Where and as whom a provider is called: a caller may set these only where the deployment allows it. */
export const connectionFields: readonly string[] = [
  'api_key',
  'api_base',
  'base_url',
  'api_version',
  'organization',
  'custom_llm_provider',
  'litellm_credential_name',
  'extra_headers',
  'headers',
  'azure_ad_token',
  'azure_scope',
  'tenant_id',
  'client_id',
  'client_secret',
  'vertex_project',
  'vertex_location',
  'vertex_credentials',
  'aws_access_key_id',
  'aws_secret_access_key',
  'aws_session_token',
  'aws_region_name',
  'aws_session_name',
  'aws_profile_name',
  'aws_role_name',
  'aws_web_identity_token',
  'aws_sts_endpoint',
  'aws_bedrock_runtime_endpoint',
  'aws_external_id',
  'user_config',
];

/** Body fields that speak to the gateway and never travel on. */
export const gatewayFields: ReadonlySet<string> = new Set([
  ...connectionFields,
  'metadata',
  'litellm_metadata',
  'tags',
  'fallbacks',
  'context_window_fallbacks',
  'content_policy_fallbacks',
  'disable_fallbacks',
  'num_retries',
  'max_retries',
  'timeout',
  'stream_timeout',
  'cache',
  'caching',
  'guardrails',
  'policies',
  'mock_response',
  'mock_tool_calls',
  'mock_delay',
  'mock_timeout',
  'mock_testing_fallbacks',
  'mock_testing_context_window_fallbacks',
  'mock_testing_content_policy_fallbacks',
  'mock_testing_rate_limit_error',
  'drop_params',
  'additional_drop_params',
  'allowed_openai_params',
  'priority',
  'no-log',
  'litellm_trace_id',
  'litellm_session_id',
  'litellm_call_id',
  'litellm_logging_obj',
  'litellm_params',
  'secret_fields',
  'proxy_server_request',
  'fastest_response',
  'cache_control_injection_points',
  'merge_reasoning_content_in_choices',
  'prompt_id',
  'prompt_variables',
  'prompt_label',
  'prompt_version',
]);

/** Formats whose own specification gives one of these names a meaning: there it is not the gateway's. */
const ownNames: Partial<Record<DialectName, string>> = {
  'anthropic-messages': 'metadata',
  'bedrock-invoke': 'metadata',
  'openai-responses': 'metadata',
  'openai-compact': 'metadata',
  // Of its scheduler.
  'cohere-chat': 'priority',
  // The version of the body that is meant.
  'invoked-rerank': 'api_version',
};

export function isFormats(name: string, dialect: DialectName): boolean {
  return ownNames[dialect] === name;
}

const without = (left: string): ReadonlySet<string> => new Set([...gatewayFields].filter((name) => name !== left));
const withoutOwn = new Map(['metadata', 'priority', 'api_version'].map((name) => [name, without(name)]));

/**
 * Names of the fields of this body that must not reach a provider. `metadata` stays where it belongs to the format: in
 * Anthropic's always, in OpenAI's when the answer is stored there (`store: true`).
 */
export function fieldsToStrip(body: JsonObject, dialect: DialectName): ReadonlySet<string> {
  const own = ownNames[dialect] ?? (body.store === true ? 'metadata' : undefined);
  const base = own === undefined ? gatewayFields : withoutOwn.get(own)!;
  let unknown: string[] | null = null;
  for (const name in body) {
    if ((name.startsWith('litellm_') || name.startsWith('mock_')) && !base.has(name)) {
      unknown ??= [];
      unknown.push(name);
    }
  }
  return unknown === null ? base : new Set([...base, ...unknown]);
}

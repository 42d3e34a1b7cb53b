/**
 * Keys that are accepted, kept and reported once as not active yet: what they are for comes later, or not at all. Every other
 * key of the schemas does something. Take a key out together with the code that reads it.
 */
export const inactiveKeys = {
  sections: [
    ...['guardrails', 'policies', 'prompts', 'agents', 'search_tools', 'vector_store_registry'],
    ...['mcp_servers', 'mcp_toolsets', 'files_settings', 'finetune_settings', 'assistant_settings'],
  ],
  router_settings: ['search_tools', 'guardrail_list'],
  litellm_settings: ['skip_system_message_in_guardrail', 'mcp_aliases'],
  'litellm_settings.cache_params': [
    'gcp_service_account',
    // Semantic caches.
    ...['similarity_threshold', 'redis_semantic_cache_embedding_model', 'redis_semantic_cache_index_name'],
    ...['qdrant_api_base', 'qdrant_api_key', 'qdrant_collection_name', 'qdrant_quantization_config'],
    ...['qdrant_semantic_cache_embedding_model', 'qdrant_semantic_cache_vector_size'],
  ],
  general_settings: [
    ...['custom_auth', 'custom_auth_run_common_checks', 'custom_sso', 'custom_key_generate'],
    ...['enable_jwt_auth', 'litellm_jwtauth', 'enable_oauth2_auth', 'enable_oauth2_proxy_auth', 'role_permissions'],
    ...['key_management_system', 'key_management_settings', 'ui_access_mode', 'control_plane_url'],
    ...['mcp_internal_ip_ranges', 'mcp_trusted_proxy_ranges', 'user_mcp_management_mode'],
    'use_client_credentials_pass_through_routes',
  ],
  model_params: ['auto_router_config_path', 'auto_router_config', 'auto_router_embedding_model', 'guardrails'],
} as const satisfies Record<string, readonly string[]>;

export type KeyTable = keyof typeof inactiveKeys;

export function isActive(table: KeyTable, key: string): boolean {
  return !(inactiveKeys[table] as readonly string[]).includes(key);
}

/**
 * Which keys do something today; every other known key is accepted, kept and reported once as not active yet. Move a key here
 * together with the code that reads it.
 */
export const activeKeys = {
  sections: [
    'model_list',
    'router_settings',
    'litellm_settings',
    'general_settings',
    'credential_list',
    'environment_variables',
    'include',
  ],
  router_settings: [
    ...[
      'routing_strategy',
      'routing_strategy_args',
      'model_group_alias',
      'num_retries',
      'retry_after',
      'allowed_fails',
    ],
    ...['cooldown_time', 'disable_cooldowns', 'retry_policy', 'model_group_retry_policy', 'allowed_fails_policy'],
    ...['fallbacks', 'default_fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks', 'max_fallbacks'],
    ...['timeout', 'stream_timeout', 'enable_pre_call_checks', 'enable_pre_call_check', 'enable_tag_filtering'],
    ...['tag_filtering_match_any', 'default_max_parallel_requests', 'default_litellm_params', 'cache_responses'],
    'stream_continuation',
    ...['provider_budget_config', 'retry_budget_ratio', 'retry_budget_min_per_second'],
    ...['redis_host', 'redis_port', 'redis_password', 'redis_username', 'redis_db', 'redis_url'],
  ],
  litellm_settings: [
    ...[
      'request_timeout',
      'drop_params',
      'modify_params',
      'num_retries',
      'retry_after',
      'allowed_fails',
      'cooldown_time',
    ],
    ...['disable_cooldowns', 'retry_policy', 'model_group_retry_policy', 'allowed_fails_policy', 'fallbacks'],
    ...['default_fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks', 'max_fallbacks', 'max_budget'],
    ...[
      'budget_duration',
      'timezone',
      'max_end_user_budget',
      'max_internal_user_budget',
      'internal_user_budget_duration',
    ],
    ...[
      'cache',
      'cache_params',
      'cost_discount_config',
      'cost_margin_config',
      'tag_budget_config',
      'disable_hf_tokenizer_download',
      'require_auth_for_metrics_endpoint',
    ],
  ],
  'litellm_settings.cache_params': [
    ...['type', 'ttl', 'namespace', 'supported_call_types', 'mode', 'default_in_memory_ttl', 'scope', 'max_bytes'],
    ...['default_in_redis_ttl', 'host', 'port', 'password', 'username', 'url', 'db', 'ssl', 'ssl_cert_reqs'],
    ...['ssl_check_hostname', 'redis_startup_nodes', 'service_name', 'sentinel_nodes', 'sentinel_password'],
  ],
  general_settings: [
    ...[
      'master_key',
      'database_url',
      'database_connection_pool_limit',
      'data_folder',
      'drain_timeout_seconds',
      'drain_delay_seconds',
      'timeouts',
      'media_fetch',
      'price_catalogue_file',
      'unpriced_models',
    ],
    ...[
      'alerting',
      'limits_without_redis',
      'budget_store_down',
      'unknown_outcome',
      'hangup_charge',
      'idempotency_ttl',
      'idempotency_answer_max_kb',
    ],
    ...['health_check_details', 'allow_requests_on_db_unavailable'],
    ...['heartbeat_seconds', 'clamp_output_tokens', 'budget_error_status', 'show_allowed_models', 'store_model_in_db'],
    ...[
      'store_prompts_in_spend_logs',
      'maximum_spend_logs_retention_period',
      'maximum_spend_logs_retention_interval',
      'litellm_key_header_name',
    ],
    ...['enforce_user_param', 'allow_client_side_credentials', 'max_request_size_mb', 'always_include_stream_usage'],
    ...[
      'user_header_name',
      'proxy_batch_write_at',
      'proxy_budget_rescheduler_min_time',
      'proxy_budget_rescheduler_max_time',
    ],
    ...[
      'use_redis_transaction_buffer',
      'disable_spend_updates',
      'disable_budget_reservation',
      'fail_closed_budget_enforcement',
    ],
  ],
  model_params: [
    ...['model', 'api_key', 'api_base', 'base_url', 'api_version', 'organization', 'custom_llm_provider'],
    ...[
      'litellm_credential_name',
      'azure_ad_token',
      'rpm',
      'tpm',
      'weight',
      'order',
      'max_parallel_requests',
      'cooldown_time',
    ],
    ...[
      'timeout',
      'stream_timeout',
      'max_retries',
      'num_retries',
      'tags',
      'max_budget',
      'budget_duration',
      'extra_headers',
    ],
    ...['headers', 'extra_body', 'drop_params', 'additional_drop_params', 'allowed_openai_params'],
    ...['configurable_clientside_auth_params', 'mock_response'],
  ],
  model_info: [
    ...['id', 'mode', 'base_model', 'max_tokens', 'max_input_tokens', 'max_output_tokens', 'access_groups', 'team_id'],
    ...['blocked', 'supports_vision', 'supports_function_calling', 'supports_response_schema', 'supports_reasoning'],
    ...['supports_audio_input', 'supports_pdf_input'],
  ],
} as const satisfies Record<string, readonly string[]>;

export function isActive(section: keyof typeof activeKeys, key: string): boolean {
  return (activeKeys[section] as readonly string[]).includes(key);
}

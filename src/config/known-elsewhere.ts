/**
 * Keys that LiteLLM knows and that change nothing here: what they are for is done otherwise, belongs to a part that does not
 * exist here, or is not active yet. They are told in one line, as a key that nobody knows would be told as a mistake.
 */
const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const knownElsewhere: Readonly<Record<string, ReadonlySet<string>>> = {
  '': new Set(words('worker_registry sandbox_tools policy_attachments vector_store_index_registry skills')),
  general_settings: new Set(
    words(`
      admission_queue_timeout_seconds alert_type_config allow_cli_sso_verification_uri_complete allow_user_auth
      allow_unmanaged_response_ids allowed_client_side_s3_buckets allowed_client_side_s3_endpoint_urls allowed_file_extensions
      auto_redirect_ui_login_to_sso background_health_check_model_groups blocked_file_extensions cancel_on_disconnect
      claude_code_gateway_managed_settings claude_code_marketplace_auth_required custom_key_policy custom_key_update
      custom_team_metadata_validate custom_ui_sso_sign_in_handler dangerously_permit_weak_or_unset_master_key database_args
      database_connect_timeout database_connection_pool_timeout database_disable_prepared_statements
      database_extra_connection_params database_lock_timeout database_max_idle_connection_lifetime database_socket_timeout
      database_statement_timeout database_type disable_adding_master_key_hash_to_db disable_auto_add_proxy_admin_to_teams
      disable_batch_input_file_rate_limiting disable_env_credential_login disable_master_key_return
      disable_prisma_schema_update disable_requester_ip_address_logging disable_retry_on_max_parallel_request_limit_error
      drain_endpoint_token enable_claude_code_gateway enable_drain_endpoint enable_mcp_registry
      enable_openai_websocket_passthrough enable_public_model_hub enforce_fallback_budget enforce_fallback_model_access
      enforce_rbac failed_login_block_seconds failed_login_window_seconds health_check_skip_disabled_background_models
      include_call_id_in_error_body legacy_unscoped_spend_list_endpoints litellm_license max_batch_file_records
      max_batch_file_size_mb max_batch_file_uploads_per_day max_failed_login_attempts_per_source
      max_failed_login_attempts_per_source_overrides max_file_downloads_per_minute max_file_size_mb
      max_in_flight_requests_per_worker max_queued_requests_per_worker maximum_daily_tag_spend_retention_period
      maximum_spend_logs_cleanup_batch_size maximum_spend_logs_cleanup_batch_timeout
      maximum_spend_logs_cleanup_max_batches maximum_spend_logs_cleanup_run_budget mcp_client_side_auth_header_name
      mcp_required_fields missing_session_id model_list_healthy_only oauth2_config_mappings otel
      pass_through_request_timeout plugins proxy_config_reload_interval_seconds request_tag_mappings
      require_end_user_mcp_access_defined require_key_mcp_access_defined responses_websocket_session_limit_seconds
      return_wildcard_routes scheduled_job_stagger scope_spend_list_endpoints_to_caller search_tool_deny_by_default
      self_serve_budget_policy skip_batch_input_file_rate_limiting_for_models
      skip_batch_input_file_rate_limiting_for_providers spend_capture_rate_check spend_logs_metadata_fields
      spend_logs_prompt_storage team_metadata_validation_error_message team_metadata_validation_timeout telemetry
      transcribe_media_buckets trusted_proxy_ranges use_azure_key_vault use_google_kms use_spend_logs_ledger
      user_api_key_cache_max_size vector_store_deny_by_default vertex_ai_pass_through_drop_anthropic_betas
    `),
  ),
  litellm_settings: new Set(
    words(`
      add_function_to_prompt add_user_information_to_llm_headers aiohttp_trust_env allow_dynamic_callback_disabling
      anthropic_messages_estimate_initial_input_tokens anthropic_prompt_caching_ttl anthropic_sse_ping_interval_seconds
      audit_log_callbacks autorouter_presets_url aws_sqs_callback_params banned_keywords_list blocked_user_list
      block_requests_for_models_without_pricing budget_reset_time budget_rollover code_interpreter_interception_params
      cold_storage_custom_logger compression_interception_params custom_provider_map datadog_llm_observability_params
      datadog_params datadog_use_v1 default_in_memory_ttl default_key_max_budget_alert_emails
      default_max_internal_user_budget default_redis_batch_cache_expiry default_redis_ttl default_soft_budget
      disable_add_prefix_to_prompt disable_add_transform_inline_image_block disable_add_user_agent_to_request_tags
      disable_aiohttp_transport disable_aiohttp_trust_env disable_copilot_system_to_assistant disable_stop_sequence_limit
      disable_streaming_logging disable_token_counter dynamodb_table_name enable_anthropic_prompt_caching
      enable_azure_ad_token_refresh enable_caching_on_provider_specific_optional_params
      enable_loadbalancing_on_batch_endpoints enable_preview_features force_redis_hash_tag_grouping
      forward_traceparent_to_llm_provider generic_logger_headers global_bitbucket_config global_disable_no_log_param
      global_gitlab_config http2 input_callback key_alias_pattern langfuse_enable_update_trace_keys
      langsmith_batch_size log_client_error_tracebacks log_raw_request_response max_ui_session_budget max_user_budget
      mcp_semantic_tool_filter mcp_tool_search model_alias_map model_cost_map_url newrelic_params num_retries_per_request
      openai_system_messages_first output_parse_pii overwrite_user_with_key_hash post_call_rules pre_call_rules
      presidio_ad_hoc_recognizers prometheus_exclude_labels prometheus_exclude_metrics prometheus_latency_buckets
      prometheus_metrics_ttl_seconds public_agent_groups public_mcp_servers public_model_groups
      public_model_groups_links reasoning_auto_summary request_correlation_in_logs require_managed_files
      safe_memory_mode secret_manager_client skip_tool_message_in_guardrail ssl_ecdh_curve ssl_security_level
      standard_logging_payload_excluded_fields store_audit_logs suppress_debug_info telemetry use_aiohttp_transport
      user_url_validation validate_end_user_id_in_db websearch_interception_params
    `),
  ),
  router_settings: new Set(
    words(`
      assistants_config custom_pricing_source enable_weighted_failover fallback_on_unsupported_params
      ignore_invalid_deployments model_list max_retries routing_args tag_routing_prefix weights
      enable_background_health_checks
    `),
  ),
  'litellm_settings.cache_params': new Set(words('gcp_ssl_ca_certs disable_copilot_system_to_assistant')),
  'router_settings.retry_policy': new Set(words('ServiceUnavailableErrorRetries NotFoundErrorRetries DefaultRetries')),
  'model_list.litellm_params': new Set(
    words(`
      adaptive_router_config adaptive_router_default_model allow_client_keepalive_override allow_legacy_cloud_file_ids
      auto_router_max_input_chars auto_router_model_compression auto_router_routing_compression
      aws_bedrock_control_plane_endpoint aws_bedrock_project_id aws_session_tags azure_password azure_username bedrock_tags
      bitbucket_config bucket_name chatgpt_auth_file daily_reset_time fireworks_forward_user_id gitlab_config
      keepalive_seconds litellm_trace_id max_agentic_loops max_file_size_mb provider_affinity_header
      quality_router_config quality_router_default_model responses_api_version rpd s3_bucket_owner s3_encryption_key_id
      s3_output_bucket_name stream_timeout_by_service_tier switchyard_router_config
      thought_signature_in_tool_call_id timeout_by_service_tier tpd use_xai_oauth vector_store_id watsonx_region_name
      prompt_id prompt_label prompt_variables prompt_version
      acompletion aembedding agentic_loop_params allowed_model_region assistant_continue_message atext_completion
      azure_ad_token_provider bos_token cache cache_key caching caching_groups client complete_response
      context_window_fallback_dict custom_prompt_dict disable_add_transform_inline_image_block
      disable_copilot_system_to_assistant ensure_alternating_roles eos_token fallback_depth fallbacks fastest_response
      final_prompt_value force_timeout hf_model_name id initial_prompt_value logger_fn max_fallbacks metadata
      model_config model_file_id_mapping model_list modify_params no-cache no-log no-store preset_cache_key
      provider_specific_header proxy_server_request retry_policy retry_strategy roles s-maxage ssl_verify
      supports_system_message text_completion ttl use_client user_continue_message verbose
    `),
  ),
  'model_list.litellm_params.complexity_router_config': new Set(
    words(`
      adaptive adaptive_eligible adaptive_weights cache_aware_routing cache_aware_routing_output_tokens
      cache_aware_routing_timeout_ms capability_classifier_config classification_examples classification_mode
      classification_prompt classifier_context_budget_chars classifier_context_include_assistant_turns
      classifier_context_per_turn_chars classifier_context_window_size classifier_fallback classifier_llm_config
      classifier_plugin classifier_plugin_timeout_ms context_compaction custom_dimensions deployment_affinity
      embedding_model enable_context_window_escalation enable_non_reasoning_tier escalation_keywords fallback_tier
      heuristic_first_max_tier heuristic_v2_artifact heuristic_v2_success_threshold housekeeping_patterns
      hybrid_boundary_margin jev_classifier_config llm_v2_config local_heuristic match_threshold
      max_tokens_from_tier_model modality_pin_override modality_routing opensource_classifier_config
      plan_mode_min_tier plan_mode_patterns plugins reasoning_override_min_score reminder_markers
      return_raw_model_name route_housekeeping_to_cheapest_tier semantic_keyword_matching session_affinity
      session_affinity_ttl_seconds stall_escalation_enabled stall_escalation_repeat_threshold
      stall_escalation_window tier_definitions tier_distance_penalty tier_labels tier_model_configs context_window_escalation_buffer
    `),
  ),
};

/** What a request says to the gateway, and to no provider. */
const ofTheGateway = /^(litellm|mock)_/;

/** `path` without the numbers of list entries: `model_list.litellm_params`. */
export function isKnownElsewhere(path: readonly (string | number)[], name: string): boolean {
  if (path.length === 2 && path[1] === 'litellm_params' && ofTheGateway.test(name)) return true;
  const section = path.filter((step) => typeof step === 'string').join('.');
  return knownElsewhere[section.replace(/\.params(\.|$)/, '.litellm_params$1')]?.has(name) ?? false;
}

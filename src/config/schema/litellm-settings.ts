import type { z } from 'zod';
import {
  budgetWindow,
  dollars,
  either,
  flag,
  fraction,
  key,
  listOf,
  map,
  mapOf,
  number,
  oneOf,
  openMap,
  seconds,
  text,
  texts,
  timezone,
} from '../field.ts';
import { cacheParams } from './cache-params.ts';
import { reliabilityKeys } from './reliability.ts';

const keyFields = () => openMap();

export const litellmSettings = map({
  callbacks: key(texts(), 'Where records of requests go (`otel`, `prometheus`, `langfuse` …).'),
  success_callback: key(texts(), 'Like `callbacks`, successes only.'),
  failure_callback: key(texts(), 'Like `callbacks`, failures only.'),
  service_callback: key(texts(), 'Accepted; how store and Redis are doing is always in `/metrics`.'),
  service_callbacks: key(texts(), 'The same as `service_callback`.'),
  s3_callback_params: key(
    openMap(),
    'Where the callback `s3` writes: `s3_bucket_name`, `s3_region_name`, `s3_endpoint_url`, `s3_path`, `s3_aws_access_key_id`, `s3_aws_secret_access_key`.',
  ),
  turn_off_message_logging: key(flag(), 'Callbacks get no prompts and answers.', 'false'),
  redact_user_api_key_info: key(flag(), 'Callbacks get no key, user or team.', 'false'),
  redact_messages_in_exceptions: key(flag(), 'Errors given to callbacks hold no prompts.', 'false'),
  langfuse_default_tags: key(texts(), 'Tags set on Langfuse traces.'),
  json_logs: key(flag(), 'Logs are JSON.', 'true when the output is not a terminal'),
  set_verbose: key(flag(), 'Log everything, as `--debug` does. Read at the start.', 'false'),
  request_timeout: key(seconds(), 'Longest time for one try, where `router_settings.timeout` does not say.', '600'),
  force_ipv4: key(flag(), 'Reach providers and sinks over IPv4 only. Read at the start.', 'false'),
  ssl_verify: key(
    either('true, false or a certificate file', flag(), text()),
    'Check the certificates of providers and sinks; a file is trusted beside the system’s (also `SSL_CERT_FILE`). Read at the start.',
    '`SSL_VERIFY`, or true',
  ),
  ssl_certificate: key(
    text(),
    'File with the gateway’s own certificate and key (PEM), for providers that ask for one. Read at the start.',
    '`SSL_CERTIFICATE`',
  ),
  drop_params: key(
    flag(),
    'Leave out request parameters that the provider does not support, instead of refusing the request.',
    'false',
  ),
  modify_params: key(flag(), 'Repair a message history that the provider would refuse.', 'false'),
  ...reliabilityKeys,
  budget_exceeded_status_code: key(oneOf('429', '400', '402', '403'), 'Status of a refusal over budget.', '429'),
  budget_exceeded_throttle_percentage: key(
    fraction(),
    'Share of its `rpm_limit` and `tpm_limit` (0.1 = a tenth) that is left to a key with `throttle_on_budget_exceeded` once its `max_budget` is used up, in place of refusing it.',
  ),
  sse_keepalive_ping_interval_seconds: key(seconds(), 'The same as `general_settings.heartbeat_seconds`.'),
  user_url_allowed_hosts: key(texts(), 'The same as `general_settings.media_fetch.allowed_hosts`.'),
  max_budget: key(dollars(), 'Budget of the whole gateway.'),
  budget_duration: key(budgetWindow(), 'Window of `max_budget`.'),
  timezone: key(timezone(), 'Time zone (IANA) in which budget windows begin.', 'UTC'),
  max_end_user_budget: key(dollars(), 'Budget of end users that have none of their own.'),
  max_end_user_budget_id: key(text(), 'Stored budget of end users that have none of their own.'),
  max_internal_user_budget: key(dollars(), 'Budget of new users.'),
  internal_user_budget_duration: key(budgetWindow(), 'Window of `max_internal_user_budget`.'),
  default_internal_user_params: key(keyFields(), 'Values for new users.'),
  default_team_params: key(keyFields(), 'Values for new teams.'),
  default_team_settings: key(listOf(keyFields()), 'Callbacks by team.'),
  upperbound_key_generate_params: key(keyFields(), 'Most that a new key may have.'),
  default_key_generate_params: key(keyFields(), 'Values for new keys that do not say.'),
  key_generation_settings: key(keyFields(), 'Who may create keys.'),
  enable_key_alias_format_validation: key(flag(), 'Key aliases must be plain names.', 'false'),
  cache: key(flag(), 'Keep answers and give them again for the same request.', 'false'),
  cache_params: key(cacheParams, 'Settings of the response cache.'),
  enable_redis_auth_cache: key(
    flag(),
    'Accepted; keys are kept in the memory of each process, and changes are known everywhere within a second.',
  ),
  cost_discount_config: key(mapOf(fraction()), 'Discount by provider.'),
  cost_margin_config: key(
    mapOf(
      either(
        'a fraction, or a map with `percentage` and `fixed_amount`',
        number(),
        map({
          percentage: key(number(), 'Fraction of the cost.'),
          fixed_amount: key(dollars(), 'Dollars for each request.'),
        }),
      ),
    ),
    'Margin by provider, or `global`.',
  ),
  priority_reservation: key(
    mapOf(fraction()),
    'Share of a model’s `rpm` and `tpm` that is kept for keys whose `metadata.priority` names it; all others together get the rest.',
  ),
  include_cost_in_streaming_usage: key(
    flag(),
    'The usage at the end of an OpenAI stream tells its cost in US dollars (`usage.cost`).',
    'false',
  ),
  disable_end_user_cost_tracking: key(flag(), 'Do not track cost by end user.', 'false'),
  disable_end_user_cost_tracking_prometheus_only: key(flag(), 'No end user label in metrics.'),
  enable_end_user_cost_tracking_prometheus_only: key(flag(), 'End user label in metrics.', 'false'),
  custom_prometheus_metadata_labels: key(texts(), 'Metric labels from key metadata.'),
  custom_prometheus_tags: key(texts(), 'Metric labels from tags.'),
  prometheus_metrics_config: key(listOf(openMap()), 'Which metrics and labels exist.'),
  prometheus_initialize_budget_metrics: key(flag(), 'Fill budget metrics at start.', 'false'),
  prometheus_emit_stream_label: key(flag(), 'Metric label for streams.', 'false'),
  require_auth_for_metrics_endpoint: key(flag(), '`/metrics` needs a key.', 'false'),
  enable_json_schema_validation: key(flag(), 'Check answers against the JSON schema the request gave.', 'false'),
  skip_system_message_in_guardrail: key(flag(), 'Guardrails do not see system messages.', 'false'),
  use_chat_completions_url_for_anthropic_messages: key(
    flag(),
    'Accepted; always so: `/v1/messages` goes to chat completions where the provider has both.',
  ),
  route_all_chat_openai_to_responses: key(
    flag(),
    'Chat completions go to the Responses API of providers that have it, at their public addresses.',
    'false',
  ),
  mcp_aliases: key(mapOf(text()), 'Short names of MCP servers.'),
  model_group_settings: key(
    map({
      forward_client_headers_to_llm_api: key(
        texts(),
        'Model groups whose providers get the caller’s `x-` headers, where `general_settings` does not say all.',
      ),
    }),
    'Settings of some model groups.',
  ),
  tag_budget_config: key(
    mapOf(
      map({
        max_budget: key(dollars(), 'US dollars in one window.'),
        budget_duration: key(budgetWindow(), 'Window.'),
        budget_limit: key(dollars(), 'The same as `max_budget`.'),
        time_period: key(budgetWindow(), 'The same as `budget_duration`.'),
      }),
    ),
    'Budgets by tag.',
  ),
  extra_spend_tag_headers: key(texts(), 'Request headers that become tags.'),
  return_response_headers: key(flag(), 'Give the provider’s response headers to the caller.', 'true'),
  disable_hf_tokenizer_download: key(flag(), 'Nothing is downloaded; accepted for compatibility.'),
  network_mock: key(flag(), 'Conversations are answered without calling a provider, to measure.', 'false'),
});

export type LitellmSettings = z.output<typeof litellmSettings>;

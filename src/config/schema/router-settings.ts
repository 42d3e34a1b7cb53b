import type { z } from 'zod';
import {
  amount,
  anything,
  budgetWindow,
  count,
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
  port,
  required,
  seconds,
  secret,
  text,
  texts,
} from '../field.ts';
import { redisAddress } from './redis-address.ts';
import { reliabilityKeys } from './reliability.ts';

export const routingStrategies = [
  'simple-shuffle',
  'least-busy',
  'usage-based-routing',
  'usage-based-routing-v2',
  'latency-based-routing',
  'cost-based-routing',
  'provider-budget-routing',
] as const;

export const routingStrategyArguments = map({
  ttl: key(seconds(), 'How long a measured latency counts.', '3600'),
  lowest_latency_buffer: key(amount(), 'Deployments within this fraction of the best latency share the traffic.', '0'),
  max_latency_list_size: key(count(), 'Latencies remembered for each deployment.', '10'),
}).catchall(anything());

export const routerSettings = map({
  routing_strategy: key(oneOf(...routingStrategies), 'How one of several deployments is chosen.', 'simple-shuffle'),
  routing_strategy_args: key(routingStrategyArguments, 'Settings of the strategy.'),
  routing_groups: key(
    listOf(
      map({
        group_name: required(text(), 'Name.'),
        models: required(texts(), 'Model groups in it.'),
        routing_strategy: key(oneOf(...routingStrategies), 'Strategy of these groups.'),
        routing_strategy_args: key(routingStrategyArguments, 'Settings of the strategy.'),
      }),
    ),
    'Other strategies for some model groups.',
  ),
  model_group_alias: key(
    mapOf(
      either(
        'a model group, or a map with `model` and `hidden`',
        text(),
        map({ model: required(text(), 'Model group.'), hidden: key(flag(), 'Not listed by `/v1/models`.', 'false') }),
      ),
    ),
    'Other names for model groups.',
  ),
  ...reliabilityKeys,
  stream_continuation: key(
    oneOf('off', 'prefill'),
    'Ours: a stream that breaks after its first content. `off`: it ends with an error event; `prefill`: a deployment that can go on with a begun answer (vLLM, SGLang, Mistral, older Claude, Ollama) writes the rest, as long as the answer is plain text so far. Both are paid for.',
    'off',
  ),
  retry_budget_ratio: key(fraction(), 'Ours: extra attempts allowed, as a share of the requests.', '0.2'),
  retry_budget_min_per_second: key(amount(), 'Ours: extra attempts a second that are always allowed.', '10'),
  timeout: key(seconds(), 'Longest time for one try; for a stream, to its first content.', '600'),
  stream_timeout: key(seconds(), 'The same for streams alone.', '`timeout`'),
  enable_pre_call_checks: key(flag(), 'Skip deployments whose context is too small for the prompt.', 'false'),
  enable_pre_call_check: key(flag(), 'The same as `enable_pre_call_checks`.'),
  optional_pre_call_checks: key(
    texts(),
    'Further checks before a deployment is chosen. Affinities: `prompt_caching` (the same marked prefix), `session_affinity`, `deployment_affinity` (the same key) go to the same deployment while it is well. `enforce_model_rate_limits`: `rpm`, `tpm`, `itpm` and `otpm` of deployments hold with every strategy. `router_budget_limiting`, `responses_api_deployment_check` and `encrypted_content_affinity` are always so.',
  ),
  deployment_affinity_ttl_seconds: key(
    seconds(),
    'Accepted; an affinity lasts as long as the deployments stay the same.',
  ),
  model_group_affinity_config: key(openMap(), 'Affinities by model group: lists as in `optional_pre_call_checks`.'),
  enable_tag_filtering: key(flag(), 'Choose deployments by the tags of the request.', 'false'),
  tag_filtering_match_any: key(
    flag(),
    'One common tag is enough; otherwise the deployment needs all tags of the request.',
    'true',
  ),
  provider_budget_config: key(
    mapOf(
      map({
        budget_limit: key(dollars(), 'US dollars in one window.'),
        time_period: key(budgetWindow(), 'Window.'),
        max_budget: key(dollars(), 'The same as `budget_limit`.'),
        budget_duration: key(budgetWindow(), 'The same as `time_period`.'),
      }),
    ),
    'Budgets by provider.',
  ),
  redis_host: key(text(), 'Redis host.'),
  redis_port: key(port(), 'Redis port.', '6379'),
  redis_password: key(secret(), 'Redis password.'),
  redis_username: key(text(), 'Redis user.'),
  redis_db: key(count(), 'Redis database number.', '0'),
  redis_url: key(secret(), 'Redis address with everything in it.'),
  cache_responses: key(flag(), 'Keep answers and give them again for the same request.', 'false'),
  cache_kwargs: key(redisAddress, 'What else the router’s Redis needs; the same as in `cache_params`.'),
  caching_groups: key(listOf(texts()), 'Model groups that share cached answers.'),
  default_max_parallel_requests: key(count(), '`max_parallel_requests` of each deployment that does not say.'),
  default_litellm_params: key(openMap(), 'Defaults for `litellm_params` of every deployment.'),
  client_ttl: key(
    seconds(),
    'Accepted; a connection that nobody uses is closed after 4 seconds, or when its provider says.',
  ),
  search_tools: key(listOf(openMap()), 'Search tools.'),
  guardrail_list: key(listOf(openMap()), 'Guardrails.'),
  enable_health_check_routing: key(flag(), 'Leave out deployments whose background health check failed.', 'false'),
  health_check_staleness_threshold: key(seconds(), 'Older health results do not count.', '600'),
  health_check_ignore_transient_errors: key(flag(), '408 and 429 in a health check do not count.', 'false'),
  set_verbose: key(flag(), 'Log everything, as `--debug` does. Read at the start.', 'false'),
  debug_level: key(oneOf('DEBUG', 'INFO'), 'How much to log. Read at the start.'),
  polling_interval: key(seconds(), 'How often a request that waits looks for a deployment.', '0.03'),
  default_priority: key(
    number(),
    'Priority of requests that name none (`priority` in the body). With one, a request waits, the lowest number first, while all deployments of its group rest, up to its timeout; without, it is refused with 429.',
  ),
});

export type RouterSettings = z.output<typeof routerSettings>;

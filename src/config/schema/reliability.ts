import { count, flag, key, listOf, map, mapOf, seconds, texts } from '../field.ts';

const fallbackList = () => listOf(mapOf(texts()));

const retriesByError = () =>
  map({
    BadRequestErrorRetries: key(count(), 'After 400.'),
    AuthenticationErrorRetries: key(count(), 'After 401.'),
    TimeoutErrorRetries: key(count(), 'After a timeout.'),
    RateLimitErrorRetries: key(count(), 'After 429.'),
    ContentPolicyViolationErrorRetries: key(count(), 'After a content policy refusal.'),
    InternalServerErrorRetries: key(count(), 'After 5xx.'),
  });

const failsByError = () =>
  map({
    BadRequestErrorAllowedFails: key(count(), '400s.'),
    AuthenticationErrorAllowedFails: key(count(), '401s.'),
    TimeoutErrorAllowedFails: key(count(), 'Timeouts.'),
    RateLimitErrorAllowedFails: key(count(), '429s.'),
    ContentPolicyViolationErrorAllowedFails: key(count(), 'Content policy refusals.'),
    InternalServerErrorAllowedFails: key(count(), '5xx.'),
  });

/** May stand in `router_settings` or in `litellm_settings`; where both give a value, `router_settings` wins. */
export const reliabilityKeys = {
  num_retries: key(count(), 'Further attempts after a retryable failure.', '2'),
  retry_after: key(seconds(), 'Shortest wait before a retry.', '0'),
  allowed_fails: key(
    count(),
    'Failures within a cooldown time before a deployment is left alone for a while.',
    'by failure rate',
  ),
  cooldown_time: key(seconds(), 'How long a failing deployment is left alone.', '5'),
  disable_cooldowns: key(flag(), 'Never leave a deployment alone.', 'false'),
  retry_policy: key(retriesByError(), 'Retries by kind of error.'),
  model_group_retry_policy: key(mapOf(retriesByError()), 'Retries by model group and kind of error.'),
  allowed_fails_policy: key(failsByError(), 'Allowed failures by kind of error.'),
  fallbacks: key(
    fallbackList(),
    'For each group, the groups to use when it fails: `[{"llama": ["gpt-4o-mini"]}]`; `"*"` stands for every group.',
  ),
  default_fallbacks: key(texts(), 'Groups to use when a group without fallbacks of its own fails.'),
  context_window_fallbacks: key(fallbackList(), 'Like `fallbacks`, for prompts that are too long.'),
  content_policy_fallbacks: key(fallbackList(), 'Like `fallbacks`, for content policy refusals.'),
  max_fallbacks: key(count(), 'Most fallbacks one request may go through.', '5'),
};

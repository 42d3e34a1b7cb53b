import {
  anything,
  either,
  flag,
  key,
  listOf,
  map,
  mapOf,
  oneOf,
  openMap,
  required,
  secret,
  text,
  texts,
} from '../field.ts';

export const guardrailModes = [
  'pre_call',
  'during_call',
  'post_call',
  'logging_only',
  'pre_mcp_call',
  'during_mcp_call',
] as const;

const mode = () => oneOf(...guardrailModes);

export const guardrails = listOf(
  map({
    guardrail_name: required(text(), 'Name; guardrails of the same name share the load.'),
    litellm_params: key(
      map({
        guardrail: required(text(), 'Kind of guardrail.'),
        mode: key(
          either('a mode, a list of modes, or a map with `tags` and `default`', mode(), listOf(mode()), openMap()),
          'When it runs.',
        ),
        default_on: key(flag(), 'Runs on every request.', 'false'),
        api_key: key(secret(), 'Key of the guardrail service.'),
        api_base: key(text(), 'Address of the guardrail service.'),
        unreachable_fallback: key(oneOf('fail_closed', 'fail_open'), 'What happens when the service is away.'),
        presidio_analyzer_api_base: key(text(), 'Presidio analyzer.'),
        presidio_anonymizer_api_base: key(text(), 'Presidio anonymizer.'),
        pii_entities_config: key(mapOf(oneOf('MASK', 'BLOCK')), 'What happens to each kind of personal data.'),
        output_parse_pii: key(flag(), 'Put the personal data back into the answer.', 'false'),
        presidio_language: key(text(), 'Language.', 'en'),
        presidio_score_thresholds: key(openMap(), 'How sure Presidio must be, by kind.'),
        presidio_filter_scope: key(oneOf('input', 'output', 'both'), 'What Presidio looks at.'),
        mock_redacted_text: key(anything(), 'For tests.'),
      }).catchall(anything()),
      'Settings of the guardrail.',
    ),
    params: key(openMap(), 'The same as `litellm_params`.'),
    guardrail_info: key(anything(), 'Shown to callers.'),
    default_on: key(flag(), 'Runs on every request.', 'false'),
    tags: key(texts(), 'Tags.'),
  }).catchall(anything()),
);

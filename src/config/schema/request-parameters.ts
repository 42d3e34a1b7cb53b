/**
 * Request parameters that may stand in `litellm_params` as the deployment's default (the request's own value wins). Any other
 * name is sent too, but with a warning: it may be a mistyped setting.
 */
export const requestParameters: ReadonlySet<string> = new Set([
  // chat and completions
  ...['temperature', 'top_p', 'n', 'stream', 'stop', 'max_tokens', 'max_completion_tokens', 'presence_penalty'],
  ...['frequency_penalty', 'logit_bias', 'user', 'functions', 'function_call', 'seed', 'tools', 'tool_choice'],
  ...[
    'parallel_tool_calls',
    'response_format',
    'logprobs',
    'top_logprobs',
    'reasoning_effort',
    'reasoning',
    'thinking',
  ],
  ...['verbosity', 'modalities', 'audio', 'prediction', 'store', 'metadata', 'service_tier', 'stream_options'],
  ...[
    'web_search_options',
    'safety_identifier',
    'prompt_cache_key',
    'prompt_cache_retention',
    'best_of',
    'echo',
    'suffix',
  ],
  ...['include', 'truncation', 'text', 'max_tool_calls', 'instructions', 'system', 'stop_sequences', 'output_config'],
  // embeddings, images, audio
  ...['encoding_format', 'dimensions', 'input_type', 'size', 'quality', 'style', 'background', 'output_format'],
  ...['voice', 'speed', 'language', 'prompt', 'timestamp_granularities'],
  // open servers
  ...['top_k', 'min_p', 'top_a', 'repetition_penalty', 'length_penalty', 'use_beam_search', 'ignore_eos', 'min_tokens'],
  ...['skip_special_tokens', 'guided_json', 'guided_regex', 'guided_choice', 'guided_grammar', 'chat_template'],
  ...[
    'chat_template_kwargs',
    'add_generation_prompt',
    'keep_alive',
    'options',
    'num_ctx',
    'num_predict',
    'format',
    'think',
  ],
  ...['safe_prompt', 'random_seed', 'prompt_mode', 'transforms', 'models', 'route', 'provider', 'plugins', 'usage'],
]);

import type { z } from 'zod';
import { anything, count, flag, key, map, oneOf, seconds, text, texts } from '../field.ts';

export const modelModes = [
  'chat',
  'completion',
  'embedding',
  'image_generation',
  'image_edit',
  'audio_transcription',
  'audio_speech',
  'moderation',
  'rerank',
  'realtime',
  'responses',
  'batch',
  'ocr',
  'video_generation',
] as const;

/** `model_list[].model_info`: what is known about a deployment. Further keys are kept and shown by `/model/info`. */
export const modelInfo = map({
  id: key(text(), 'Identifies the deployment.', 'a hash of the group name and the parameters'),
  mode: key(oneOf(...modelModes), 'What the deployment does.', 'chat'),
  base_model: key(text(), 'The model whose price and context size apply, where the name does not say it (Azure).'),
  max_tokens: key(count(), 'The same as `max_output_tokens`.'),
  max_input_tokens: key(count(), 'Context size in tokens.', 'from the price table'),
  max_output_tokens: key(count(), 'Most tokens one answer can have.', 'from the price table'),
  access_groups: key(texts(), 'Access groups that a key or team may name in `models`.'),
  supported_environments: key(
    texts(),
    'Environments (`development`, `staging`, `production`) in which the deployment is used, where `LITELLM_ENVIRONMENT` names one.',
  ),
  tier: key(oneOf('free', 'paid'), 'Tier of the deployment.'),
  team_id: key(text(), 'Only this team may use the deployment.'),
  team_public_model_name: key(text(), 'The name under which that team asks for it, beside `model_name`.'),
  blocked: key(flag(), 'Gets no traffic.', 'false'),
  health_check_model: key(text(), 'Model called by health checks (for wildcards).'),
  health_check_timeout: key(seconds(), 'Longest time of a health check.', '60'),
  health_check_max_tokens: key(count(), '`max_tokens` of a health check.', '5'),
  health_check_voice: key(text(), 'Voice of a speech health check.'),
  disable_background_health_check: key(flag(), 'No background health check for this deployment.', 'false'),
  supports_vision: key(flag(), 'Takes images.'),
  supports_function_calling: key(flag(), 'Takes tools.'),
  supports_parallel_function_calling: key(flag(), 'Calls several tools at once.'),
  supports_tool_choice: key(flag(), 'Takes `tool_choice`.'),
  supports_response_schema: key(flag(), 'Takes a JSON schema as response format.'),
  supports_system_messages: key(flag(), 'Takes system messages.'),
  supports_assistant_prefill: key(flag(), 'Continues an assistant message.'),
  supports_prompt_caching: key(flag(), 'Caches prompts.'),
  supports_reasoning: key(flag(), 'Reasons before it answers.'),
  supports_audio_input: key(flag(), 'Takes audio.'),
  supports_audio_output: key(flag(), 'Gives audio.'),
  supports_pdf_input: key(flag(), 'Takes PDF files.'),
  supports_video_input: key(flag(), 'Takes video.'),
  supports_web_search: key(flag(), 'Searches the web.'),
  supports_url_context: key(flag(), 'Reads pages by address.'),
  supports_computer_use: key(flag(), 'Uses a computer.'),
  supports_embedding_image_input: key(flag(), 'Embeds images.'),
  supports_native_streaming: key(flag(), 'Streams.'),
}).catchall(anything());

export type ModelInfo = z.output<typeof modelInfo>;

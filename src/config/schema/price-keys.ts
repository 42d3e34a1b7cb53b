/**
 * The price keys of a deployment, in US dollars. All may stand in `litellm_params`, in `model_info` and in a price file;
 * the token prices also exist per million tokens.
 */
export const tokenPriceKeys = {
  input_cost_per_token: 'an input token',
  output_cost_per_token: 'an output token',
  cache_read_input_token_cost: 'an input token read from the provider’s cache; without it: the input price',
  cache_creation_input_token_cost:
    'an input token written to the provider’s cache (5 minutes); without it: the input price',
  cache_creation_input_token_cost_above_1hr:
    'an input token written to the cache for an hour; without it: the 5 minute price',
  input_cost_per_audio_token: 'an audio input token; without it: the input price',
  output_cost_per_audio_token: 'an audio output token; without it: the output price',
  output_cost_per_reasoning_token: 'a reasoning token; without it: the output price',
  input_cost_per_image_token: 'an image input token; without it: the input price',
  output_cost_per_image_token: 'an image output token; without it: the output price',
  input_cost_per_video_token: 'a video input token; without it: the input price',
  output_cost_per_video_token: 'a video output token; without it: the output price',
  citation_cost_per_token: 'a citation token',
} as const;

export const unitPriceKeys = {
  input_cost_per_image: 'an image in',
  output_cost_per_image: 'an image out',
  input_cost_per_pixel: 'a pixel in',
  output_cost_per_pixel: 'a pixel out',
  input_cost_per_second: 'a second of input or of run time',
  output_cost_per_second: 'a second of output',
  input_cost_per_character: 'a character in',
  output_cost_per_character: 'a character out',
  input_cost_per_audio_per_second: 'a second of audio in',
  input_cost_per_video_per_second: 'a second of video in',
  output_cost_per_video_per_second: 'a second of video out',
  input_cost_per_query: 'a search query or rerank unit',
  file_search_cost_per_1k_calls: '1,000 file searches',
  code_interpreter_cost_per_session: 'a code interpreter session',
  ocr_cost_per_page: 'a page read',
  annotation_cost_per_page: 'an annotated page',
} as const;

/** Kept as written; not plain numbers. */
export const structuredPriceKeys = [
  'search_context_cost_per_query',
  'tiered_pricing',
  'off_peak_pricing',
  'provider_specific_entry',
  'regional_processing_uplift_multiplier_eu',
  'regional_processing_uplift_multiplier_us',
  'regional_endpoint_uplift_multiplier',
] as const;

/** The price of a self-hosted deployment: input and output token alike cost `gpu_cost_per_hour / 3600 / tokens_per_second`. */
export const gpuPriceKeys = {
  gpu_cost_per_hour: 'an hour of the hardware behind this deployment (US dollars); needs `tokens_per_second`',
  tokens_per_second:
    'tokens a second the hardware serves; every input and output token then costs gpu_cost_per_hour / 3600 / tokens_per_second',
} as const;

export type TokenPriceKey = keyof typeof tokenPriceKeys;

export interface PriceKeyParts {
  readonly base: string;
  /** Applies when the prompt has more tokens than this. */
  readonly aboveTokens?: number;
  readonly serviceTier?: 'flex' | 'priority' | 'batches';
  readonly isPerMillion: boolean;
}

/** Per-million spelling: `input_cost_per_million_tokens`, `cache_read_input_token_cost_per_million`. */
export function perMillionKey(base: string): string {
  return base.endsWith('_per_token') ? `${base.slice(0, -'_token'.length)}_million_tokens` : perMillionOf(base);
}

function perMillionOf(base: string): string {
  const perToken = /^(.*_cost_per)_(.+)_token$/.exec(base);
  return perToken ? `${perToken[1]}_million_${perToken[2]}_tokens` : `${base}_per_million`;
}

const byName = new Map<string, { base: string; isPerMillion: boolean }>();
for (const base of Object.keys(tokenPriceKeys)) {
  byName.set(base, { base, isPerMillion: false });
  byName.set(perMillionKey(base), { base, isPerMillion: true });
}
for (const base of [...Object.keys(unitPriceKeys), ...Object.keys(gpuPriceKeys)]) {
  byName.set(base, { base, isPerMillion: false });
}

const suffixes = /^(.+?)(?:_above_(\d+)k_tokens)?(?:_(flex|priority|batches))?$/;

/** Takes a price key apart; undefined for anything that is not one. */
export function parsePriceKey(name: string): PriceKeyParts | undefined {
  const exact = byName.get(name);
  if (exact !== undefined) return exact;
  const match = suffixes.exec(name);
  const found = match && byName.get(match[1]!);
  if (!match || !found) return undefined;
  return {
    ...found,
    ...(match[2] !== undefined && { aboveTokens: Number(match[2]) * 1000 }),
    ...(match[3] !== undefined && { serviceTier: match[3] as 'flex' | 'priority' | 'batches' }),
  };
}

export const priceKeyNames: readonly string[] = [...byName.keys(), ...structuredPriceKeys];

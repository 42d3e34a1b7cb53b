import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Usage } from '../../core/usage.ts';
import { field } from '../gemini/fields.ts';
import { decodeUsage } from '../gemini/usage.ts';

export interface ToldUsage {
  readonly usage: Usage;
  /** Tokens that the answer has read. */
  readonly prompt: number;
}

/**
 * What one answer came to, and how much it read. As with single requests, but for the names of what was said.
 * https://ai.google.dev/api/live#usagemetadata
 */
export function liveUsage(usage: Json | undefined): ToldUsage | undefined {
  if (!isJsonObject(usage)) return undefined;
  const single: JsonObject = {
    ...usage,
    candidatesTokenCount: field(usage, 'responseTokenCount') ?? field(usage, 'candidatesTokenCount') ?? 0,
    candidatesTokensDetails: field(usage, 'responseTokensDetails') ?? field(usage, 'candidatesTokensDetails') ?? [],
  };
  const decoded = decodeUsage(single, 0);
  const prompt = field(usage, 'promptTokenCount');
  return decoded && { usage: decoded, prompt: typeof prompt === 'number' ? prompt : 0 };
}

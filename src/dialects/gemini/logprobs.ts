import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { field } from './fields.ts';

/** Log probabilities in the shape that the neutral form carries them in: OpenAI's. */
export function decodeLogprobs(result: Json | undefined): Json | undefined {
  if (!isJsonObject(result)) return undefined;
  const chosen = listOf(result, 'chosenCandidates');
  const top = listOf(result, 'topCandidates');
  if (chosen.length === 0) return undefined;
  return {
    content: chosen.map((one, index) => ({
      ...told(one),
      top_logprobs: top[index] === undefined ? [] : listOf(top[index], 'candidates').map(told),
    })),
  };
}

function told(candidate: JsonObject): JsonObject {
  const token = String(field(candidate, 'token') ?? '');
  return { token, logprob: Number(field(candidate, 'logProbability') ?? 0), bytes: [...Buffer.from(token)] };
}

export function encodeLogprobs(logprobs: Json | undefined): JsonObject | undefined {
  if (!isJsonObject(logprobs) || !Array.isArray(logprobs.content)) return undefined;
  const entries = logprobs.content.filter(isJsonObject);
  const back = (entry: JsonObject) => ({ token: String(entry.token), logProbability: Number(entry.logprob) });
  return {
    chosenCandidates: entries.map(back),
    topCandidates: entries.map((entry) => ({
      candidates: (Array.isArray(entry.top_logprobs) ? entry.top_logprobs : []).filter(isJsonObject).map(back),
    })),
  };
}

function listOf(object: JsonObject, name: string): JsonObject[] {
  const value = field(object, name);
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

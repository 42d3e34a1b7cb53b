import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { ModerationRequest, ModerationResponse } from '../../core/neutral-tasks.ts';
import { asObject, malformed, nameOf, optionalString, requiredString, unknownMembers } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { decodeUsage } from '../openai-chat/usage.ts';
import { given, taskDialect } from '../task-dialect.ts';

const fields: ReadonlySet<string> = new Set(['model', 'input', 'user']);
const answerFields: ReadonlySet<string> = new Set(['id', 'model', 'results', 'usage']);

/** A text, a list of texts, or a list of text and image parts. */
function inputsOf(value: Json | undefined): Json[] {
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) throw malformed('input', `expected a string or a list, got ${nameOf(value)}`);
  if (value.length === 0) throw malformed('input', 'the list is empty: at least one entry is needed');
  for (const [index, entry] of value.entries()) {
    if (typeof entry !== 'string') requiredString(asObject(entry, `input[${index}]`), 'type', `input[${index}].type`);
  }
  return value;
}

function resultsOf(body: JsonObject): JsonObject[] {
  const { results } = body;
  if (!Array.isArray(results) || !results.every(isJsonObject)) throw notAnAnswer('results');
  return results;
}

/** https://platform.openai.com/docs/api-reference/moderations */
export const openaiModerations = taskDialect<ModerationRequest, ModerationResponse>({
  name: 'openai-moderations',
  operation: 'moderation',
  inspect: (body) => {
    const inputs = inputsOf(body.input);
    return {
      model: optionalString(body, 'model') ?? 'omni-moderation-latest',
      endUser: optionalString(body, 'user') || undefined,
      inputUnbounded: inputs.some((entry) => isJsonObject(entry) && entry.type !== 'text'),
    };
  },
  decodeRequest: (body) => ({
    model: optionalString(body, 'model') ?? '',
    inputs: inputsOf(body.input),
    endUser: optionalString(body, 'user') || undefined,
    extra: unknownMembers(body, fields),
  }),
  encodeRequest: (request) => ({
    ...request.extra,
    ...given({ model: request.model, input: request.inputs, user: request.endUser }),
  }),
  decodeResponse: (body) => ({
    id: typeof body.id === 'string' ? body.id : '',
    model: typeof body.model === 'string' ? body.model : '',
    results: resultsOf(body),
    usage: decodeUsage(body.usage),
    extra: unknownMembers(body, answerFields),
  }),
  encodeResponse: (response, options) => ({
    id: response.id,
    model: options.model ?? response.model,
    ...response.extra,
    results: response.results,
  }),
});

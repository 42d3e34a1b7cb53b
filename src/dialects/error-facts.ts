import type { UpstreamErrorFacts } from '../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../core/json.ts';

const messageCharactersMax = 4_000;

const contextWindowTexts = [
  'context_length_exceeded',
  'maximum context length',
  'prompt is too long',
  'input is too long',
  'prompt: length',
  'too many tokens',
  'exceeds the maximum number of tokens',
  'input length and max_tokens exceed context limit',
  'available context size',
];

const contentPolicyTexts = [
  'content_policy_violation',
  'content management policy',
  'content filtering policy',
  'responsibleaipolicyviolation',
  'content_filter',
  'safety system',
];

/** Which of the two errors with fallbacks of their own a provider's text speaks of, whatever the provider. */
export function kindOfText(text: string): UpstreamErrorFacts['kind'] {
  const lower = text.toLowerCase();
  if (contextWindowTexts.some((part) => lower.includes(part))) return 'context_window';
  if (contentPolicyTexts.some((part) => lower.includes(part))) return 'content_policy';
  const blocked = lower.indexOf('blocked by');
  return blocked !== -1 && lower.includes('guardrail', blocked) ? 'content_policy' : undefined;
}

const noFacts: UpstreamErrorFacts = {
  message: undefined,
  type: undefined,
  code: undefined,
  param: undefined,
  kind: undefined,
  fields: undefined,
};

/** Reads an error answer of any provider; an HTML page or garbage gives facts without a message. */
export function errorFacts(body: Uint8Array): UpstreamErrorFacts {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8').trim();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const isProse = text !== '' && !text.startsWith('<') && !text.startsWith('{') && text.length <= 500;
    return { ...noFacts, message: isProse ? text : undefined, kind: kindOfText(text.slice(0, messageCharactersMax)) };
  }
  return factsOf(value);
}

/**
 * The shapes in use: `{error: {message, type, code, param}}`, `{error: "text"}`, `{type: "error", error: {type, message}}`,
 * `{message, type, code}`, `{detail: "text" | {message} | [{msg, loc}]}`, `{err_msg, err_code}`, `{errors: ["text"]}`, and lists of these.
 */
export function factsOf(value: unknown): UpstreamErrorFacts {
  if (typeof value === 'string') return withKind({ ...noFacts, message: shortened(value) });
  if (Array.isArray(value)) return value.length === 0 ? noFacts : factsOf(value[0]);
  if (!isJsonObject(value)) return noFacts;
  const inner = value.error;
  if (typeof inner === 'string') return withKind({ ...noFacts, message: shortened(inner), code: scalar(value.code) });
  const error = isJsonObject(inner) ? inner : value;
  const message =
    scalar(error.message) ??
    detailText(error.detail) ??
    scalar(error.msg) ??
    scalar(error.err_msg) ??
    (Array.isArray(error.errors) ? scalar(error.errors[0]) : undefined);
  return withKind({
    message: message === undefined ? undefined : shortened(message),
    type: scalar(error.type),
    code: scalar(error.code),
    param: scalar(error.param),
    kind: undefined,
    fields: extraFields(error),
  });
}

function withKind(facts: UpstreamErrorFacts): UpstreamErrorFacts {
  const kind = kindOfText(`${facts.code ?? ''} ${facts.type ?? ''} ${facts.message ?? ''}`);
  return kind === undefined ? facts : { ...facts, kind };
}

function extraFields(error: JsonObject): JsonObject | undefined {
  const names = ['innererror', 'provider_specific_fields', 'content_filter_result', 'metadata'];
  const found = names.filter((name) => isJsonObject(error[name]));
  return found.length === 0 ? undefined : Object.fromEntries(found.map((name) => [name, error[name]]));
}

/** FastAPI tells validation errors as a list of places and messages. */
function detailText(detail: unknown): string | undefined {
  if (typeof detail === 'string') return detail;
  if (isJsonObject(detail)) return scalar(detail.message) ?? scalar(detail.error);
  if (!Array.isArray(detail)) return undefined;
  const lines = detail.filter(isJsonObject).map((entry) => {
    const place = Array.isArray(entry.loc) ? `${entry.loc.map(String).join('.')}: ` : '';
    return `${place}${scalar(entry.msg) ?? ''}`;
  });
  return lines.length === 0 ? undefined : lines.join('; ');
}

function scalar(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' ? String(value) : undefined;
}

function shortened(text: string): string {
  return text.length <= messageCharactersMax ? text : `${text.slice(0, messageCharactersMax)}…`;
}

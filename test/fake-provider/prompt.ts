import { isRecord } from './json.ts';

/** Fields that hold what the model reads, over all dialects. */
const promptFields = ['system', 'instructions', 'messages', 'prompt', 'input', 'tools', 'functions'];

/** Texts that are references or pictures, not words: a provider does not bill them by length. */
const opaqueFields = new Set(['url', 'file_data', 'file_id', 'signature', 'id', 'tool_call_id', 'tool_use_id', 'type']);

/**
 * Input tokens a provider would bill: a quarter of the bytes of every text, three per message and three to start the
 * answer, never more than the bytes of the request.
 */
export function promptTokens(body: Readonly<Record<string, unknown>>, bodyBytes: number): number {
  let textBytes = 0;
  for (const field of promptFields) textBytes += bytesOfTexts(body[field]);
  const turns = body.messages ?? body.input;
  const messages = Array.isArray(turns) ? turns.filter(isRecord).length : 0;
  const tokens = Math.ceil(textBytes / 4) + 3 * messages + (messages > 0 ? 3 : 0);
  return Math.max(1, Math.min(tokens, bodyBytes));
}

function bytesOfTexts(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + bytesOfTexts(item), 0);
  if (!isRecord(value)) return 0;
  const isInlineFile = value.type === 'base64' || typeof value.media_type === 'string';
  let sum = 0;
  for (const [key, item] of Object.entries(value)) {
    if (opaqueFields.has(key) || (isInlineFile && key === 'data')) continue;
    sum += bytesOfTexts(item);
  }
  return sum;
}

/** The text of the last message, or of the prompt or input where there are no messages. */
export function lastText(body: Readonly<Record<string, unknown>>): string {
  if (Array.isArray(body.messages)) {
    const last: unknown = body.messages.at(-1);
    return isRecord(last) ? textOf(last.content) : '';
  }
  const input = body.prompt ?? body.input;
  return textOf(
    Array.isArray(input) && isRecord(input.at(-1)) ? (input.at(-1) as { content: unknown }).content : input,
  );
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part) => (isRecord(part) ? textOf(part.text ?? part.content) : textOf(part)))
    .join(' ')
    .trim();
}

import { isJsonObject, type JsonObject } from '../../core/json.ts';

/** What one answer, or one piece of it, says. */
export interface Said {
  readonly text: string;
  readonly thinking: string;
  readonly calls: readonly JsonObject[];
}

/** Where `/api/chat` and `/api/generate` differ in their answers. */
export interface OllamaShape {
  read(body: JsonObject): Said | undefined;
  write(said: Partial<Said>): JsonObject;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export const chatShape: OllamaShape = {
  read: ({ message }) =>
    isJsonObject(message)
      ? {
          text: textOf(message.content),
          thinking: textOf(message.thinking),
          calls: (Array.isArray(message.tool_calls) ? message.tool_calls : []).filter(isJsonObject),
        }
      : undefined,
  write: ({ text = '', thinking = '', calls = [] }) => ({
    message: {
      role: 'assistant',
      content: text,
      ...(thinking === '' ? {} : { thinking }),
      ...(calls.length === 0 ? {} : { tool_calls: [...calls] }),
    },
  }),
};

export const generateShape: OllamaShape = {
  read: (body) =>
    typeof body.response === 'string' ? { text: body.response, thinking: textOf(body.thinking), calls: [] } : undefined,
  write: ({ text = '', thinking = '' }) => ({ response: text, ...(thinking === '' ? {} : { thinking }) }),
};

import type { JsonObject } from '../../src/core/json.ts';
import type { SeededChance } from '../simulation/seeded-chance.ts';
import { anyText } from './texts.ts';

export type CallerFormat = 'openai-chat' | 'openai-completions' | 'openai-embeddings' | 'anthropic-messages';

/** A request as a caller may write it, valid in its format. */
export function anyRequest(chance: SeededChance, format: CallerFormat): JsonObject {
  switch (format) {
    case 'openai-chat':
      return anyChat(chance);
    case 'openai-completions':
      return anyCompletion(chance);
    case 'openai-embeddings':
      return { model: 'm', input: anyPrompt(chance) };
    case 'anthropic-messages':
      return anyMessages(chance);
  }
}

function anyChat(chance: SeededChance): JsonObject {
  const body: JsonObject = { model: 'm', messages: list(chance, 1, 5, () => anyChatMessage(chance)) };
  anyCap(chance, body, ['max_tokens', 'max_completion_tokens']);
  if (chance.happens(0.2)) body.n = chance.between(1, 8);
  if (chance.happens(0.2)) body.tools = list(chance, 1, 4, () => ({ type: 'function', function: anyFunction(chance) }));
  if (chance.happens(0.1)) body.functions = [anyFunction(chance)];
  const shape = chance.between(0, 9);
  if (shape === 0) body.response_format = { type: 'json_object' };
  if (shape === 1) {
    body.response_format = { type: 'json_schema', json_schema: { name: 'a', schema: anySchema(chance) } };
  }
  if (chance.happens(0.05)) body.web_search_options = { search_context_size: chance.pick(['low', 'medium', 'high']) };
  if (chance.happens(0.1)) body.reasoning_effort = chance.pick(['low', 'medium', 'high']);
  if (chance.happens(0.1)) body.stop = [anyText(chance, 1).slice(0, 20)];
  if (chance.happens(0.1)) body.user = anyText(chance, 1);
  return body;
}

function anyChatMessage(chance: SeededChance): JsonObject {
  const kind = chance.between(0, 9);
  if (kind === 0) return { role: 'system', content: anyText(chance) };
  if (kind === 1) {
    const called = { name: 'call', arguments: JSON.stringify({ text: anyText(chance, 2) }) };
    return { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: called }] };
  }
  if (kind === 2) return { role: 'assistant', content: anyText(chance) };
  if (kind === 3) return { role: 'user', content: list(chance, 1, 3, () => ({ type: 'text', text: anyText(chance) })) };
  if (kind === 4 && chance.happens(0.4)) {
    const url = chance.pick(['https://images.example/a.png', 'data:image/png;base64,iVBORw0KGgo=']);
    return { role: 'user', content: [{ type: 'image_url', image_url: { url } }] };
  }
  return { role: 'user', content: anyText(chance) };
}

function anyCompletion(chance: SeededChance): JsonObject {
  const body: JsonObject = { model: 'm', prompt: anyPrompt(chance) };
  anyCap(chance, body, ['max_tokens']);
  if (chance.happens(0.3)) body.n = chance.between(1, 4);
  if (chance.happens(0.2)) body.best_of = chance.between(1, 6);
  return body;
}

function anyPrompt(chance: SeededChance): JsonObject['input'] {
  const tokens = () => list(chance, 1, 20, () => chance.between(0, 200_000));
  switch (chance.between(0, 4)) {
    case 0:
      return list(chance, 1, 8, () => anyText(chance, 2));
    case 1:
      return tokens();
    case 2:
      return list(chance, 1, 4, tokens);
    default:
      return anyText(chance);
  }
}

function anyMessages(chance: SeededChance): JsonObject {
  const body: JsonObject = {
    model: 'm',
    max_tokens: chance.between(1, 8_000),
    messages: list(chance, 1, 4, (index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: chance.happens(0.5) ? anyText(chance) || 'a' : [{ type: 'text', text: anyText(chance) || 'a' }],
    })),
  };
  if (chance.happens(0.3)) body.system = anyText(chance) || 'a';
  if (chance.happens(0.2)) {
    body.tools = list(chance, 1, 3, () => ({ ...anyFunction(chance, 'input_schema') }));
  } else if (chance.happens(0.1)) {
    body.tools = [{ type: 'web_search_20250305', name: 'web_search', max_uses: chance.between(1, 12) }];
  }
  if (chance.happens(0.1)) body.output_config = { format: { type: 'json_schema', schema: anySchema(chance) } };
  return body;
}

function anyFunction(chance: SeededChance, schemaName = 'parameters'): JsonObject {
  return {
    name: `f${chance.between(0, 99)}`,
    ...(chance.happens(0.6) ? { description: anyText(chance, 2) } : {}),
    [schemaName]: anySchema(chance),
  };
}

function anySchema(chance: SeededChance): JsonObject {
  const properties: JsonObject = {};
  for (let count = chance.between(0, 4); count > 0; count--) {
    properties[anyText(chance, 1).slice(0, 30)] = { type: 'string', description: anyText(chance, 1) };
  }
  return { type: 'object', properties };
}

export function anyCap(chance: SeededChance, body: JsonObject, names: readonly string[]): void {
  for (const name of names) if (chance.happens(0.4)) body[name] = chance.between(1, 20_000);
}

function list<Entry>(chance: SeededChance, least: number, most: number, make: (index: number) => Entry): Entry[] {
  return Array.from({ length: chance.between(least, most) }, (_, index) => make(index));
}

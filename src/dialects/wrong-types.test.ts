import { describe, expect, it } from 'vitest';
import { GatewayError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { DialectName } from '../core/operation.ts';
import { dialects } from './index.ts';

/*
 * Every member of a request whose type its format fixes, given in every other type: refused by its name before anything is
 * bought. What takes a second type says so here; what is the caller's own (schemas, arguments) takes any.
 */
type Kind = 'number' | 'string' | 'boolean' | 'list' | 'object';

interface Sample {
  readonly dialect: DialectName;
  readonly body: JsonObject;
  /** Members that take more than what they hold here, by their path without indexes. */
  readonly also?: Readonly<Record<string, readonly Kind[]>>;
  readonly free?: RegExp;
}

const values: Readonly<Record<Kind, Json>> = {
  number: 7,
  string: 'text',
  boolean: true,
  list: [[{}]],
  object: { a: 1 },
};
const schema = { type: 'object', properties: {} };
const definition = { name: 'look', description: 'd', parameters: schema, strict: true };
const chatCall = { id: 'c', type: 'function', function: { name: 'look', arguments: '{}' } };
const png = 'data:image/png;base64,AAAA';
const message = (content: Json, role = 'user'): JsonObject => ({ role, content });

const samples: Readonly<Record<string, Sample>> = {
  chat: {
    dialect: 'openai-chat',
    body: {
      model: 'm',
      messages: [
        { ...message('x'), name: 'bob' },
        message([
          { type: 'text', text: 'x' },
          { type: 'image_url', image_url: { url: png, detail: 'low' } },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'AAAA' } },
        ]),
        { role: 'assistant', content: 'x', tool_calls: [chatCall] },
        { role: 'tool', tool_call_id: 'c', content: 'x' },
      ],
      tools: [{ type: 'function', function: definition }],
      functions: [definition],
      tool_choice: { type: 'auto' },
      parallel_tool_calls: true,
      max_tokens: 5,
      max_completion_tokens: 5,
      temperature: 1,
      top_p: 1,
      n: 1,
      seed: 1,
      presence_penalty: 1,
      frequency_penalty: 1,
      logprobs: true,
      top_logprobs: 1,
      stop: ['x'],
      stream: true,
      stream_options: { include_usage: true },
      user: 'u',
      reasoning_effort: 'low',
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'n', description: 'd', strict: true, schema },
      },
      web_search_options: {},
    },
    also: {
      stop: ['string'],
      tool_choice: ['string'],
      'messages.content': ['string'],
      'messages.content.image_url': ['string'],
    },
    free: /schema\.|parameters\./,
  },
  completions: {
    dialect: 'openai-completions',
    body: { model: 'm', prompt: 'x', max_tokens: 5, temperature: 1, stop: ['x'], stream: true, echo: true, user: 'u' },
    also: { stop: ['string'] },
  },
  responses: {
    dialect: 'openai-responses',
    body: {
      model: 'm',
      instructions: 'x',
      input: [
        message([
          { type: 'input_text', text: 'x' },
          { type: 'input_image', image_url: png, detail: 'low' },
          { type: 'input_file', filename: 'a', file_data: 'AAAA' },
        ]),
        { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: 'x' },
      ],
      tools: [{ type: 'function', ...definition }],
      tool_choice: { type: 'auto' },
      parallel_tool_calls: true,
      max_output_tokens: 5,
      temperature: 1,
      top_p: 1,
      top_logprobs: 1,
      include: [],
      store: true,
      stream: true,
      reasoning: { effort: 'low', summary: 'auto' },
      text: { format: { type: 'json_schema', name: 'n', strict: true, schema } },
    },
    also: { input: ['string'], 'input.content': ['string'], tool_choice: ['string'] },
    free: /schema\.|parameters\./,
  },
  messages: {
    dialect: 'anthropic-messages',
    body: {
      model: 'm',
      max_tokens: 5,
      system: [{ type: 'text', text: 'x' }],
      messages: [
        message([
          { type: 'text', text: 'x' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
          { type: 'image', source: { type: 'url', url: 'https://example.org/a' } },
        ]),
        message([{ type: 'tool_use', id: 't', name: 'look', input: {} }], 'assistant'),
        message([{ type: 'tool_result', tool_use_id: 't', is_error: true, content: [{ type: 'text', text: 'x' }] }]),
      ],
      tools: [{ name: 'look', description: 'd', input_schema: schema }],
      tool_choice: { type: 'auto' },
      temperature: 1,
      top_p: 1,
      top_k: 1,
      stop_sequences: ['x'],
      stream: true,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      metadata: { user_id: 'u' },
    },
    also: {
      system: ['string'],
      stop_sequences: ['string'],
      'messages.content': ['string'],
      'messages.content.content': ['string'],
    },
    free: /input_schema\./,
  },
  Gemini: {
    dialect: 'gemini-generate',
    body: {
      systemInstruction: { parts: [{ text: 'x' }] },
      contents: [
        { role: 'user', parts: [{ text: 'x' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] },
        { role: 'model', parts: [{ functionCall: { id: 'c', name: 'look', args: {} } }] },
        { role: 'user', parts: [{ functionResponse: { id: 'c', name: 'look', response: {} } }] },
      ],
      tools: [{ functionDeclarations: [{ name: 'look', description: 'd', parameters: schema }] }],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
      generationConfig: {
        temperature: 1,
        topP: 1,
        topK: 1,
        maxOutputTokens: 5,
        candidateCount: 1,
        stopSequences: ['x'],
        responseMimeType: 'application/json',
        responseSchema: schema,
        thinkingConfig: { thinkingBudget: 5, includeThoughts: true, thinkingLevel: 'low' },
      },
    },
    free: /responseSchema\.|parameters\./,
  },
  Converse: {
    dialect: 'bedrock-converse',
    body: {
      system: [{ text: 'x' }],
      messages: [
        message([{ text: 'x' }, { image: { format: 'png', source: { bytes: 'AAAA' } } }]),
        message([{ toolUse: { toolUseId: 't', name: 'look', input: {} } }], 'assistant'),
        message([{ toolResult: { toolUseId: 't', status: 'success', content: [{ text: 'x' }] } }]),
      ],
      inferenceConfig: { maxTokens: 5, temperature: 1, topP: 1, stopSequences: ['x'] },
      toolConfig: {
        tools: [{ toolSpec: { name: 'look', description: 'd', inputSchema: { json: schema } } }],
        toolChoice: {},
      },
    },
    also: { 'inferenceConfig.stopSequences': ['string'] },
    free: /json\./,
  },
  'InvokeModel, Claude': {
    dialect: 'bedrock-invoke',
    body: { anthropic_version: 'bedrock-2023-05-31', max_tokens: 5, messages: [message('x')] },
    also: { 'messages.content': ['string'] },
  },
  'InvokeModel, Nova': {
    dialect: 'bedrock-invoke',
    body: {
      schemaVersion: 'messages-v1',
      messages: [message([{ text: 'x' }])],
      inferenceConfig: { maxTokens: 5, topK: 5 },
    },
  },
  'InvokeModel, Titan': {
    dialect: 'bedrock-invoke',
    body: { inputText: 'x', textGenerationConfig: { maxTokenCount: 5, temperature: 1, stopSequences: ['x'] } },
    also: { 'textGenerationConfig.stopSequences': ['string'] },
    free: /^inputText$/,
  },
  'InvokeModel, Command R': {
    dialect: 'bedrock-invoke',
    body: {
      message: 'x',
      preamble: 'x',
      chat_history: [{ role: 'USER', message: 'x' }],
      max_tokens: 5,
      temperature: 1,
      p: 1,
      k: 1,
      seed: 1,
    },
    free: /^message$/,
  },
  Cohere: {
    dialect: 'cohere-chat',
    body: {
      model: 'm',
      messages: [
        message('x'),
        { role: 'assistant', tool_plan: 'x', tool_calls: [chatCall] },
        { role: 'tool', tool_call_id: 'c', content: [{ type: 'document', document: { data: 'x' } }] },
      ],
      documents: [],
      p: 1,
      k: 1,
      stop_sequences: ['x'],
      strict_tools: true,
      stream: true,
    },
    also: { stop_sequences: ['string'], 'messages.content': ['string'] },
    free: /document\.data/,
  },
  'Ollama chat': {
    dialect: 'ollama-chat',
    body: {
      model: 'm',
      messages: [
        { ...message('x'), images: ['AAAA'] },
        { role: 'assistant', thinking: 'x', tool_calls: [{ function: { name: 'look', arguments: {} } }] },
        { role: 'tool', tool_name: 'look', content: 'x' },
      ],
      tools: [{ function: { name: 'look', description: 'd', parameters: schema } }],
      format: 'json',
      think: true,
      keep_alive: '5m',
      stream: true,
      options: { temperature: 1, top_p: 1, top_k: 1, seed: 1, num_predict: 5, stop: ['x'] },
    },
    also: { format: ['object'], think: ['string'], keep_alive: ['number'], 'options.stop': ['string'] },
    free: /parameters\./,
  },
  'Ollama generate': {
    dialect: 'ollama-generate',
    body: { model: 'm', prompt: 'x', system: 'x', suffix: 'x', images: ['AAAA'], format: 'json', think: true },
    also: { format: ['object'], think: ['string'] },
  },
  embeddings: {
    dialect: 'openai-embeddings',
    body: { model: 'm', input: 'x', dimensions: 8, encoding_format: 'float', user: 'u' },
    free: /^input$/,
  },
  'Cohere embeddings': {
    dialect: 'cohere-embed',
    body: { model: 'm', texts: ['x'], input_type: 'search_query', embedding_types: ['float'], truncate: 'END' },
    also: { embedding_types: ['string'] },
  },
  'Gemini embeddings': {
    dialect: 'gemini-embed',
    body: { content: { parts: [{ text: 'x' }] }, taskType: 'CLUSTERING', outputDimensionality: 8 },
  },
  'Ollama embeddings': { dialect: 'ollama-embed', body: { model: 'm', input: 'x' }, free: /^input$/ },
  rerank: {
    dialect: 'cohere-rerank',
    body: { model: 'm', query: 'x', documents: ['x'], top_n: 1, return_documents: true, max_tokens_per_doc: 5 },
    also: { documents: ['object'] },
  },
  moderations: {
    dialect: 'openai-moderations',
    body: { model: 'm', input: [{ type: 'text', text: 'x' }] },
    also: { input: ['string'] },
    free: /input\.text/,
  },
  images: {
    dialect: 'openai-images',
    body: {
      model: 'm',
      prompt: 'x',
      n: 1,
      size: '1x1',
      quality: 'low',
      response_format: 'url',
      stream: true,
      user: 'u',
    },
  },
  speech: {
    dialect: 'openai-speech',
    body: { model: 'm', input: 'x', voice: 'alloy', response_format: 'mp3', speed: 1, instructions: 'x' },
    also: { voice: ['object'] },
  },
};

type Path = readonly (string | number)[];

function kindOf(value: unknown): Kind {
  return Array.isArray(value) ? 'list' : (typeof value as Kind);
}

function pathsIn(value: Json | undefined, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, inner]) => [[...path, key], ...pathsIn(inner, [...path, key])]);
}

function valueAt(body: unknown, path: Path): unknown {
  return path.reduce((place, key) => (place as Record<string | number, unknown>)[key], body);
}

function changed(body: JsonObject, path: Path, value: Json): JsonObject {
  const copy = structuredClone(body);
  const holder = valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown>;
  holder[path.at(-1)!] = value;
  return copy;
}

function inspected({ dialect: name }: Sample, body: JsonObject): GatewayError | undefined {
  const address = { model: 'm', stream: false, query: '' };
  try {
    const dialect = dialects.get(name)!;
    (dialect.kindOf?.(body, address) ?? dialect).inspect(body, address);
    return undefined;
  } catch (cause) {
    if (cause instanceof GatewayError) return cause;
    throw cause;
  }
}

describe.each(Object.entries(samples))('%s', (_, sample) => {
  it('is a request', () => expect(inspected(sample, sample.body)).toBeUndefined());

  it.each(pathsIn(sample.body).map((path) => [path.join('.'), path] as const))('%s', (_name, path) => {
    const plain = path.filter((key) => typeof key === 'string').join('.');
    if (sample.free?.test(plain)) return;
    const held = kindOf(valueAt(sample.body, path));
    // An entry of a list is as free as the list is said to be.
    const taken = [held, ...(sample.also?.[plain] ?? [])];
    for (const [kind, value] of Object.entries(values)) {
      if (taken.includes(kind as Kind)) continue;
      const error = inspected(sample, changed(sample.body, path, value));
      expect(error, `${kind} is taken`).toBeDefined();
      expect(error!.code).toBe('malformed_request');
      expect(error!.message, kind).toContain(String(path.findLast((key) => typeof key === 'string')));
    }
  });
});

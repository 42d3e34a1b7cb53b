import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { EmbeddingInput, EmbeddingRequest, EmbeddingResponse } from '../../core/neutral-tasks.ts';
import { noUsage } from '../../core/usage.ts';
import { asObject, asString, filledList, malformed, optionalString, optionalWhole } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { count } from '../openai-chat/usage.ts';
import { given, leaveOut, type TaskFormat } from '../task-dialect.ts';
import { textsOf } from './inputs.ts';
import { googleTaskTypes, purposeOf } from './purposes.ts';
import { vectorOf, vectorsAs } from './vectors.ts';

type Format = TaskFormat<EmbeddingRequest, EmbeddingResponse>;

function textOf(content: Json | undefined, place: string): EmbeddingInput {
  const parts = filledList(asObject(content, place), 'parts', `${place}.parts`);
  const texts = parts.map((part, index) => {
    const at = `${place}.parts[${index}]`;
    return asString(asObject(part, at).text, `${at}.text`);
  });
  return { type: 'text', text: texts.join('\n') };
}

function request(body: JsonObject, inputs: EmbeddingInput[], model: string): EmbeddingRequest {
  return {
    model,
    inputs,
    dimensions: optionalWhole(body, 'outputDimensionality', 1),
    encodings: [],
    purpose: purposeOf(optionalString(body, 'taskType')),
    truncate: undefined,
    endUser: undefined,
    extra: given({ title: body.title }),
  };
}

function modelOf(body: JsonObject): string | undefined {
  return optionalString(body, 'model')?.replace(/^models\//, '');
}

function written(request: EmbeddingRequest, text: string): JsonObject {
  return given({
    ...request.extra,
    content: { parts: [{ text }] },
    taskType: request.purpose === undefined ? undefined : googleTaskTypes[request.purpose],
    outputDimensionality: request.dimensions,
  });
}

function refuseEncodings({ encodings, truncate }: EmbeddingRequest, options: Parameters<typeof leaveOut>[0]): void {
  const strange = encodings.filter((name) => name !== 'float' && name !== 'base64');
  leaveOut(options, { encoding_format: strange.length > 0 ? strange : undefined, truncate });
}

function answer(list: readonly Json[], body: JsonObject): EmbeddingResponse {
  const usage = isJsonObject(body.usageMetadata) ? count(body.usageMetadata.promptTokenCount) : 0;
  return {
    id: '',
    model: '',
    vectors: {
      float: list.map((entry, index) =>
        vectorOf(isJsonObject(entry) ? entry.values : undefined, `embeddings[${index}].values`),
      ),
    },
    usage: usage > 0 ? { ...noUsage, inputTokens: usage } : undefined,
    extra: {},
  };
}

const values = (response: EmbeddingResponse): JsonObject[] =>
  vectorsAs('float', response.vectors).map((vector) => ({ values: vector }));

/** https://ai.google.dev/api/embeddings#method:-models.batchembedcontents */
export const geminiBatchEmbed: Format = {
  name: 'gemini-batch-embed',
  operation: 'embedding',
  modelInPath: true,
  inspect: (body) => {
    const requests = filledList(body, 'requests');
    for (const [index, one] of requests.entries()) {
      const { content, ...settings } = asObject(one, `requests[${index}]`);
      request(settings, [textOf(content, `requests[${index}].content`)], '');
    }
    return { model: modelOf(asObject(requests[0], 'requests[0]')) };
  },
  decodeRequest: (body) => {
    const requests = filledList(body, 'requests').map((one, index) => asObject(one, `requests[${index}]`));
    const inputs = requests.map(({ content }, index) => textOf(content, `requests[${index}].content`));
    const [first] = requests;
    const differs = requests.findIndex((one) => one.taskType !== first!.taskType);
    if (differs !== -1) throw malformed(`requests[${differs}].taskType`, 'must be the same in all requests');
    return request(first!, inputs, modelOf(first!) ?? '');
  },
  encodeRequest: (request, options) => {
    refuseEncodings(request, options);
    const model = `models/${options.model.replace(/^models\//, '')}`;
    return { requests: textsOf(request.inputs).map((text) => ({ model, ...written(request, text) })) };
  },
  edit: ({ requests }, edits, options) => {
    // Each request names the model once more.
    const model = `models/${options.model.replace(/^models\//, '')}`;
    if (!Array.isArray(requests) || requests.every((one) => !isJsonObject(one) || one.model === model)) return;
    const named = requests.map((one) => (isJsonObject(one) ? { ...one, model } : one));
    edits.set('requests', named);
  },
  decodeResponse: (body) => {
    if (!Array.isArray(body.embeddings)) throw notAnAnswer('embeddings');
    return answer(body.embeddings, body);
  },
  encodeResponse: (response) => ({ embeddings: values(response) }),
};

/** One content, one vector. */
export const geminiEmbed: Format = {
  name: 'gemini-embed',
  operation: 'embedding',
  modelInPath: true,
  inspect: (body) => {
    request(body, [textOf(body.content, 'content')], '');
    return { model: modelOf(body) };
  },
  decodeRequest: (body) => request(body, [textOf(body.content, 'content')], modelOf(body) ?? ''),
  encodeRequest: (request, options) => {
    refuseEncodings(request, options);
    const [text, more] = textsOf(request.inputs);
    if (text === undefined || more !== undefined) throw malformed('input', 'expected one text');
    return written(request, text);
  },
  decodeResponse: (body) => {
    if (!isJsonObject(body.embedding)) throw notAnAnswer('embedding');
    return answer([body.embedding], body);
  },
  encodeResponse: (response) => ({ embedding: values(response)[0] ?? { values: [] } }),
};

import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { EmbeddingRequest, EmbeddingResponse } from '../../core/neutral-tasks.ts';
import { noUsage, totalInputTokens } from '../../core/usage.ts';
import { converseErrors } from '../bedrock-converse/errors.ts';
import { asObject, asString, filledList, optionalStrings, optionalWhole, requiredString } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { count } from '../openai-chat/usage.ts';
import { inexpressible } from '../parameter-edits.ts';
import { given, leaveOut, type TaskFormat } from '../task-dialect.ts';
import { textsOf } from './inputs.ts';
import { googleTaskTypes, purposeOf } from './purposes.ts';
import { vectorOf, vectorsAs } from './vectors.ts';

type Format = TaskFormat<EmbeddingRequest, EmbeddingResponse>;

function request(inputs: string[], more: Partial<EmbeddingRequest>): EmbeddingRequest {
  return {
    model: '',
    inputs: inputs.map((text) => ({ type: 'text', text })),
    dimensions: undefined,
    encodings: [],
    purpose: undefined,
    truncate: undefined,
    endUser: undefined,
    extra: {},
    ...more,
  };
}

function refuseEncodings({ encodings }: EmbeddingRequest, options: Parameters<typeof leaveOut>[0]): void {
  const strange = encodings.filter((name) => name !== 'float' && name !== 'base64');
  leaveOut(options, { encoding_format: strange.length > 0 ? strange : undefined });
}

/** https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
export const vertexEmbed: Format = {
  name: 'vertex-embed',
  operation: 'embedding',
  modelInPath: true,
  inspect: (body) => {
    for (const [index, one] of filledList(body, 'instances').entries()) {
      asString(asObject(one, `instances[${index}]`).content, `instances[${index}].content`);
    }
    return {};
  },
  decodeRequest: (body) => {
    const instances = filledList(body, 'instances').map((one, index) => asObject(one, `instances[${index}]`));
    const parameters = isJsonObject(body.parameters) ? body.parameters : {};
    return request(
      instances.map(({ content }, index) => asString(content, `instances[${index}].content`)),
      {
        dimensions: optionalWhole(parameters, 'outputDimensionality', 1),
        purpose: purposeOf(instances[0]!.task_type),
        truncate: parameters.autoTruncate === false ? 'none' : parameters.autoTruncate === true ? 'end' : undefined,
      },
    );
  },
  encodeRequest: (request, options) => {
    refuseEncodings(request, options);
    leaveOut(options, { truncate: request.truncate === 'start' ? 'start' : undefined });
    const task = request.purpose === undefined ? undefined : googleTaskTypes[request.purpose];
    const parameters = given({
      outputDimensionality: request.dimensions,
      autoTruncate: request.truncate === undefined ? undefined : request.truncate !== 'none',
    });
    return {
      instances: textsOf(request.inputs).map((content) => given({ content, task_type: task })),
      ...(Object.keys(parameters).length > 0 ? { parameters } : {}),
    };
  },
  decodeResponse: ({ predictions }) => {
    if (!Array.isArray(predictions)) throw notAnAnswer('predictions');
    let tokens = 0;
    const float = predictions.map((one, index) => {
      const embeddings = isJsonObject(one) && isJsonObject(one.embeddings) ? one.embeddings : ({} as JsonObject);
      if (isJsonObject(embeddings.statistics)) tokens += count(embeddings.statistics.token_count);
      return vectorOf(embeddings.values, `predictions[${index}].embeddings.values`);
    });
    const usage = tokens > 0 ? { ...noUsage, inputTokens: tokens } : undefined;
    return { id: '', model: '', vectors: { float }, usage, extra: {} };
  },
  encodeResponse: (response) => ({
    predictions: vectorsAs('float', response.vectors).map((values) => ({ embeddings: { values } })),
  }),
};

/** https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html: one text a request */
export const titanEmbed: Format = {
  name: 'titan-embed',
  operation: 'embedding',
  modelInPath: true,
  errors: converseErrors,
  inspect: (body) => {
    requiredString(body, 'inputText');
    optionalWhole(body, 'dimensions', 1);
    optionalStrings(body, 'embeddingTypes');
    return {};
  },
  decodeRequest: (body) =>
    request([requiredString(body, 'inputText')], {
      dimensions: optionalWhole(body, 'dimensions', 1),
      encodings: optionalStrings(body, 'embeddingTypes'),
    }),
  encodeRequest: (request, options) => {
    refuseEncodings(request, options);
    leaveOut(options, { truncate: request.truncate });
    const [inputText, more] = textsOf(request.inputs);
    if (more !== undefined) throw inexpressible('more than one input in a request', 'input');
    return { ...request.extra, ...given({ inputText, dimensions: request.dimensions }) };
  },
  decodeResponse: (body) => {
    const tokens = count(body.inputTextTokenCount);
    return {
      id: '',
      model: '',
      vectors: { float: [vectorOf(body.embedding, 'embedding')] },
      usage: tokens > 0 ? { ...noUsage, inputTokens: tokens } : undefined,
      extra: {},
    };
  },
  encodeResponse: ({ vectors, usage }) => {
    const embedding = vectorsAs('float', vectors)[0] ?? [];
    const inputTextTokenCount = usage && totalInputTokens(usage);
    return given({ embedding, embeddingsByType: { float: embedding }, inputTextTokenCount });
  },
};

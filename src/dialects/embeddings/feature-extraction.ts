import type { EmbeddingRequest, EmbeddingResponse } from '../../core/neutral-tasks.ts';
import { optionalString, unknownMembers } from '../body-checks.ts';
import { notAnAnswer } from '../event-decoder.ts';
import { given, leaveOut, type TaskFormat } from '../task-dialect.ts';
import { inputsOf, textsOf } from './inputs.ts';
import { vectorOf, vectorsAs } from './vectors.ts';

const fields: ReadonlySet<string> = new Set(['model', 'inputs', 'truncate', 'truncation_direction']);

/** A list of vectors and nothing else. https://huggingface.co/docs/inference-providers/tasks/feature-extraction */
export const featureExtraction: TaskFormat<EmbeddingRequest, EmbeddingResponse> = {
  name: 'feature-extraction',
  operation: 'embedding',
  modelInPath: true,
  listAnswer: true,
  inspect: (body) => {
    inputsOf(body.inputs, 'inputs');
    return { model: optionalString(body, 'model') };
  },
  decodeRequest: (body) => ({
    model: optionalString(body, 'model') ?? '',
    inputs: inputsOf(body.inputs, 'inputs'),
    dimensions: undefined,
    encodings: [],
    purpose: undefined,
    truncate: body.truncate === true ? (body.truncation_direction === 'left' ? 'start' : 'end') : undefined,
    endUser: undefined,
    extra: unknownMembers(body, fields),
  }),
  encodeRequest: (request, options) => {
    const strange = request.encodings.filter((name) => name !== 'float' && name !== 'base64');
    leaveOut(options, { dimensions: request.dimensions, encoding_format: strange.length > 0 ? strange : undefined });
    const { truncate } = request;
    return {
      ...request.extra,
      ...given({
        inputs: textsOf(request.inputs),
        truncate: truncate === undefined ? undefined : truncate !== 'none',
        truncation_direction: truncate === 'start' ? 'left' : undefined,
      }),
    };
  },
  decodeResponse: (body) => {
    // A list is the whole answer: see `listAnswer`.
    if (!Array.isArray(body.list)) throw notAnAnswer('the list of vectors');
    const list = typeof body.list[0] === 'number' ? [body.list] : body.list;
    const vectors = list.map((vector, index) => vectorOf(vector, `[${index}]`));
    return { id: '', model: '', vectors: { float: vectors }, usage: undefined, extra: {} };
  },
  encodeResponse: (response) => ({ list: vectorsAs('float', response.vectors) }),
};

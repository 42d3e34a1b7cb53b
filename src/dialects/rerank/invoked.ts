import type { RerankRequest, RerankResponse } from '../../core/neutral-tasks.ts';
import { converseErrors } from '../bedrock-converse/errors.ts';
import { optionalWhole } from '../body-checks.ts';
import type { TaskFormat } from '../task-dialect.ts';
import { type RerankWords, rerankFormat } from './shape.ts';

/** Of Cohere's own format, of which its models behind InvokeModel understand this one alone. */
const version = 2;

/**
 * A ranker behind InvokeModel: the path names the model, the answer is the list of results.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-supported.html
 */
export function invokedRerank(cohere: RerankWords): TaskFormat<RerankRequest, RerankResponse> {
  const format = rerankFormat({ ...cohere, name: 'invoked-rerank', envelope: () => ({}) });
  return {
    ...format,
    modelInPath: true,
    errors: converseErrors,
    inspect: (body, ...call) => {
      optionalWhole(body, 'api_version', 1);
      return { ...format.inspect(body, ...call), model: undefined };
    },
    decodeRequest: ({ api_version: _version, ...body }, files) => ({ ...format.decodeRequest(body, files), model: '' }),
    encodeRequest: (request, options) => {
      const { model: _named, ...body } = format.encodeRequest(request, options);
      return body;
    },
    edit: ({ api_version: given }, edits, { model }) => {
      const wanted = model.includes('cohere') ? version : undefined;
      if (given !== wanted) edits.set('api_version', wanted);
    },
  };
}

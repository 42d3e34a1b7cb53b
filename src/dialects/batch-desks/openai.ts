import type { BatchDesk } from '../../core/batch-desk.ts';
import { isJsonObject } from '../../core/json.ts';
import { answersInFiles, idIn, uploadRequests } from './files.ts';
import { countIn, json, objectIn } from './lines.ts';

/** https://platform.openai.com/docs/api-reference/batch; Azure's and Groq's are the same. */
export const openaiDesk: BatchDesk = {
  paths: {
    'openai-chat': '/v1/chat/completions',
    'openai-completions': '/v1/completions',
    'openai-embeddings': '/v1/embeddings',
  },
  async submit(ask, order) {
    const file = await uploadRequests(ask, order, true);
    const asked = { input_file_id: file, endpoint: order.path, completion_window: '24h' };
    return idIn(await ask({ method: 'POST', tail: '/batches', ...json(asked) }));
  },
  async look(ask, id) {
    const batch = objectIn(await ask({ method: 'GET', tail: `/batches/${encodeURIComponent(id)}` }));
    const { status, output_file_id: output, error_file_id: errors, request_counts: counts } = batch;
    const completed = countIn(counts, 'completed');
    return {
      isOver: status === 'completed' || status === 'failed' || status === 'expired' || status === 'cancelled',
      // Found wrong before any of it was asked, unless a count says otherwise.
      refusal: status === 'failed' && completed === 0 ? reasonIn(batch.errors) : null,
      isWhole: status === 'completed',
      completed,
      failed: countIn(counts, 'failed'),
      resultsAt: [output, errors].filter((file): file is string => typeof file === 'string' && file !== ''),
    };
  },
  results: answersInFiles,
  async cancel(ask, id) {
    await ask({ method: 'POST', tail: `/batches/${encodeURIComponent(id)}/cancel`, ...json({}) });
  },
};

function reasonIn(errors: unknown): string {
  const first = isJsonObject(errors) && Array.isArray(errors.data) ? errors.data[0] : undefined;
  return isJsonObject(first) && typeof first.message === 'string' ? first.message : 'it was not accepted';
}

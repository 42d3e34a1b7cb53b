import type { BatchDesk } from '../../core/batch-desk.ts';
import { isJsonObject } from '../../core/json.ts';
import { answersInFiles, idIn, uploadRequests } from './files.ts';
import { endOf } from './jobs.ts';
import { countIn, json, objectIn } from './lines.ts';

const over: ReadonlySet<unknown> = new Set(['SUCCESS', 'FAILED', 'TIMEOUT_EXCEEDED', 'CANCELLED']);

/** https://docs.mistral.ai/capabilities/batch/: files as OpenAI has them, jobs of its own. */
export const mistralDesk: BatchDesk = {
  paths: { 'openai-chat': '/v1/chat/completions', 'mistral-embeddings': '/v1/embeddings' },
  async submit(ask, order) {
    const file = await uploadRequests(ask, order, false);
    const job = { input_files: [file], endpoint: order.path, model: order.model, timeout_hours: 24 };
    return idIn(await ask({ method: 'POST', tail: '/batch/jobs', ...json(job) }));
  },
  async look(ask, id) {
    const job = objectIn(await ask({ method: 'GET', tail: `/batch/jobs/${encodeURIComponent(id)}` }));
    const { completed_requests: done } = job;
    const files = [job.output_file, job.error_file];
    const resultsAt = files.filter((file): file is string => typeof file === 'string' && file !== '');
    return {
      isOver: over.has(job.status),
      ...(over.has(job.status) && job.status !== 'SUCCESS'
        ? endOf({
            isFailed: job.status === 'FAILED',
            reason: reasonIn(job.errors) ?? `the job is ${String(job.status).toLowerCase().replaceAll('_', ' ')}`,
            begunAt: job.started_at,
            done: typeof done === 'number' ? done : undefined,
            hasAnswers: resultsAt.length > 0,
          })
        : { refusal: null }),
      isWhole: job.status === 'SUCCESS',
      completed: countIn(job, 'succeeded_requests'),
      failed: countIn(job, 'failed_requests'),
      resultsAt,
    };
  },
  results: answersInFiles,
  async cancel(ask, id) {
    await ask({ method: 'POST', tail: `/batch/jobs/${encodeURIComponent(id)}/cancel`, ...json({}) });
  },
};

function reasonIn(errors: unknown): string | undefined {
  const first = Array.isArray(errors) ? errors[0] : undefined;
  return isJsonObject(first) && typeof first.message === 'string' ? first.message : undefined;
}

import { type BatchDesk, customIdOf, indexOf } from '../../core/batch-desk.ts';
import { isJsonObject } from '../../core/json.ts';
import { statusOfType } from '../anthropic-messages/errors.ts';
import { idIn } from './files.ts';
import { countIn, objectIn, objectsIn } from './lines.ts';

/** https://docs.anthropic.com/en/api/creating-message-batches */
export const anthropicDesk: BatchDesk = {
  paths: { 'anthropic-messages': '/v1/messages' },
  async submit(ask, { bodies }) {
    const requests = bodies.flatMap((body, index) => [
      Buffer.from(`${index === 0 ? '' : ','}{"custom_id":"${customIdOf(index)}","params":`),
      body,
      Buffer.from('}'),
    ]);
    const body = Buffer.concat([Buffer.from('{"requests":['), ...requests, Buffer.from(']}')]);
    return idIn(await ask({ method: 'POST', tail: '/messages/batches', body, contentType: 'application/json' }));
  },
  async look(ask, id) {
    const tail = `/messages/batches/${encodeURIComponent(id)}`;
    const { processing_status: status, request_counts: counts } = objectIn(await ask({ method: 'GET', tail }));
    return {
      isOver: status === 'ended',
      refusal: null,
      isWhole: countIn(counts, 'canceled') + countIn(counts, 'expired') === 0,
      completed: countIn(counts, 'succeeded'),
      failed: countIn(counts, 'errored'),
      resultsAt: [`${tail}/results`],
    };
  },
  async *results(ask, { resultsAt }) {
    for (const tail of resultsAt) {
      for (const line of objectsIn(await ask({ method: 'GET', tail }))) {
        const index = indexOf(line.custom_id);
        const { result } = line;
        if (index === undefined || !isJsonObject(result)) continue;
        if (result.type === 'succeeded' && isJsonObject(result.message)) {
          yield { index, status: 200, body: result.message };
        } else if (result.type === 'errored' && isJsonObject(result.error)) {
          const { error } = result.error;
          const type = isJsonObject(error) && typeof error.type === 'string' ? error.type : undefined;
          yield { index, status: statusOfType(type) ?? 500, body: result.error };
        }
      }
    }
  },
  async cancel(ask, id) {
    await ask({ method: 'POST', tail: `/messages/batches/${encodeURIComponent(id)}/cancel` });
  },
};

import type { WebhookSetting } from '../../core/sink-settings.ts';
import { joined } from './batch.ts';
import type { Destination } from './destination.ts';
import { deliveryOf, flatHeaders, post, type Sender } from './post.ts';
import { standardPayload } from './standard-payload.ts';

const wraps = {
  json_array: ['[', ',', ']'],
  ndjson: ['', '\n', ''],
  single: ['', '', ''],
} as const;

/** Whoever takes JSON over HTTP: a list in each call, a line each, or one object a call. */
export function webhookDestination({ url, headers, format }: WebhookSetting, sender: Sender): Destination {
  const [head, between, tail] = wraps[format];
  const contentType = format === 'ndjson' ? 'application/x-ndjson' : 'application/json';
  const list = ['content-type', contentType, ...flatHeaders(headers)];
  return {
    encode: (entry) => ({ bytes: Buffer.from(JSON.stringify(standardPayload(entry))), items: 1 }),
    async send(batch) {
      const body = joined(head, batch, between, tail);
      const answer = await post(sender, { url: url.reveal(), method: 'POST', headers: list, body, timeoutMs: 10_000 });
      return deliveryOf(answer, sender.clock.now());
    },
    batchMax: format === 'single' ? 1 : 100,
    batchBytesMax: 2 * 1024 * 1024,
    parallelMax: format === 'single' ? 16 : 2,
    flushMs: 1_000,
  };
}

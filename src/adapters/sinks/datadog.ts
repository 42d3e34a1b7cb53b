import type { DatadogSetting } from '../../core/sink-settings.ts';
import { joined } from './batch.ts';
import type { Destination } from './destination.ts';
import { deliveryOf, post, type Sender } from './post.ts';
import { standardPayload } from './standard-payload.ts';

/** Datadog's log intake: https://docs.datadoghq.com/api/latest/logs/#send-logs (1,000 entries, 5 MB, 1 MB an entry). */
export function datadogDestination(setting: DatadogSetting, sender: Sender): Destination {
  const { url, key, source, service, host, tags } = setting;
  const headers = ['content-type', 'application/json', 'dd-api-key', key.reveal()];
  return {
    encode(entry) {
      const status = entry.record.status === 'success' ? 'info' : 'error';
      const ddtags = [
        tags,
        `team:${tagValue(entry.teamAlias ?? entry.record.teamId)}`,
        `model:${tagValue(entry.record.modelGroup ?? entry.record.modelAsked)}`,
      ]
        .filter((tag) => tag !== '' && !tag.endsWith(':'))
        .join(',');
      const log = {
        ddsource: source,
        ddtags,
        hostname: host,
        service,
        status,
        // When it was, whenever it arrives.
        timestamp: new Date(entry.record.endedAt).toISOString(),
        message: JSON.stringify(standardPayload(entry)),
      };
      return { bytes: Buffer.from(JSON.stringify(log)), items: 1 };
    },
    async send(batch) {
      const body = joined('[', batch, ',', ']');
      return deliveryOf(
        await post(sender, { url, method: 'POST', headers, body, timeoutMs: 10_000 }),
        sender.clock.now(),
      );
    },
    batchMax: 500,
    batchBytesMax: 3 * 1024 * 1024,
    parallelMax: 2,
    flushMs: 2_000,
  };
}

/** A comma would begin another tag. */
function tagValue(text: string | null): string {
  return (text ?? '').replaceAll(',', '_').slice(0, 200);
}

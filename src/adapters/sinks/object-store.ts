import { awsSignatureHeaders, percentEncoded } from '../../core/aws-signature.ts';
import type { ObjectStoreSetting } from '../../core/sink-settings.ts';
import { joined } from './batch.ts';
import type { Destination } from './destination.ts';
import { deliveryOf, post, type Sender } from './post.ts';
import { standardPayload } from './standard-payload.ts';

/**
 * Objects of JSON lines, one object a batch: `prefix/2026-11-24/15-04-05-<writer>-<number>.jsonl`. Amazon S3 and what
 * speaks its words (MinIO, Ceph, R2).
 */
export function objectStoreDestination(setting: ObjectStoreSetting, sender: Sender, writer: string): Destination {
  const { endpoint, bucket, bucketInPath, region, prefix, identity, encryption } = setting;
  const base = new URL(endpoint);
  const host = bucketInPath ? base.host : `${bucket}.${base.host}`;
  const origin = `${base.protocol}//${host}`;
  const root = base.pathname.replace(/\/$/, '') + (bucketInPath ? `/${percentEncoded(bucket)}` : '');
  // A batch that is sent again overwrites the object that may have arrived.
  const names = new WeakMap<object, string>();
  let written = 0;
  return {
    encode: (entry) => ({ bytes: Buffer.from(JSON.stringify(standardPayload(entry))), items: 1 }),
    async send(batch) {
      const now = sender.clock.now();
      const name = names.get(batch) ?? objectName(prefix, now, writer, written++);
      names.set(batch, name);
      const path = `${root}/${name.split('/').map(percentEncoded).join('/')}`;
      const body = joined('', batch, '\n', '\n');
      const headers = ['content-type', 'application/x-ndjson'];
      if (encryption !== null) headers.push('x-amz-server-side-encryption', encryption);
      const signed = awsSignatureHeaders(
        { method: 'PUT', host, path, headers, body },
        { region, service: 's3', at: now },
        identity,
      );
      const answer = await post(sender, {
        url: origin + path,
        method: 'PUT',
        headers: [...headers, ...signed],
        body,
        timeoutMs: 30_000,
      });
      return deliveryOf(answer, now);
    },
    batchMax: 1_000,
    batchBytesMax: 4 * 1024 * 1024,
    parallelMax: 2,
    flushMs: 5_000,
  };
}

function objectName(prefix: string, now: number, writer: string, number: number): string {
  const [day, time = ''] = new Date(now).toISOString().split('T');
  const clock = time.slice(0, 8).replaceAll(':', '-');
  const name = `${day}/${clock}-${writer}-${String(number).padStart(6, '0')}.jsonl`;
  return prefix === '' ? name : `${prefix.replace(/^\/+|\/+$/g, '')}/${name}`;
}

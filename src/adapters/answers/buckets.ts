import type { GoogleBucket, S3Bucket } from '../../core/answer-place.ts';
import { awsSignatureHeaders, percentEncoded } from '../../core/aws-signature.ts';
import { type Posting, post, type Sender } from '../sinks/post.ts';
import type { Bucket } from './objects.ts';

/** A request waits for a read, and for nothing longer than this. */
const readMs = 2_000;
const writeMs = 30_000;
const answerBytesMax = 20 * 1024 * 1024;
const nothing = Buffer.alloc(0);
const objectName = /([0-9a-f]{64})$/;

/** Amazon S3 and what speaks its words. */
export function s3Bucket({ endpoint, bucket, region, prefix, identity }: S3Bucket, sender: Sender): Bucket {
  const base = new URL(endpoint);
  const root = `${base.pathname.replace(/\/$/, '')}/${percentEncoded(bucket)}`;
  const call = (method: Posting['method'], path: string, body: Buffer, timeoutMs: number) => {
    const headers = ['content-type', 'application/octet-stream'];
    const at = sender.clock.now();
    const unsigned = { method, host: base.host, path, headers, body };
    const signed = awsSignatureHeaders(unsigned, { region, service: 's3', at }, identity);
    const url = `${base.protocol}//${base.host}${path}`;
    return post(sender, { url, method, headers: [...headers, ...signed], body, timeoutMs, answerBytesMax });
  };
  const path = (name: string) => `${root}/${pathOf(prefix + name)}`;
  return {
    kind: 's3',
    read: (name) => call('GET', path(name), nothing, readMs),
    write: (name, bytes) => call('PUT', path(name), bytes, writeMs),
    remove: (name) => call('DELETE', path(name), nothing, writeMs),
    async list() {
      const answer = await call('GET', `${root}?list-type=2&prefix=${percentEncoded(prefix)}`, nothing, writeMs);
      if (typeof answer === 'string' || answer.status !== 200) return null;
      return namesIn([...answer.body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key!));
    },
  };
}

/** Google Cloud Storage; `token` gives an access token. */
export function googleBucket(
  { endpoint, bucket, prefix }: GoogleBucket,
  sender: Sender,
  token: () => Promise<string>,
): Bucket {
  const objects = `${endpoint}/storage/v1/b/${percentEncoded(bucket)}/o`;
  const call = async (method: Posting['method'], url: string, body: Buffer, timeoutMs: number) => {
    let authorization: string;
    try {
      authorization = `Bearer ${await token()}`;
    } catch (cause) {
      return (cause as Error).message;
    }
    const headers = ['authorization', authorization, 'content-type', 'application/octet-stream'];
    return post(sender, { url, method, headers, body, timeoutMs, answerBytesMax });
  };
  const address = (name: string) => `${objects}/${percentEncoded(prefix + name)}`;
  return {
    kind: 'gcs',
    read: (name) => call('GET', `${address(name)}?alt=media`, nothing, readMs),
    write: (name, bytes) => {
      const query = `uploadType=media&name=${percentEncoded(prefix + name)}`;
      const url = `${endpoint}/upload/storage/v1/b/${percentEncoded(bucket)}/o?${query}`;
      return call('POST', url, bytes, writeMs);
    },
    remove: (name) => call('DELETE', address(name), nothing, writeMs),
    async list() {
      const url = `${objects}?prefix=${percentEncoded(prefix)}&fields=items(name)&maxResults=1000`;
      const answer = await call('GET', url, nothing, writeMs);
      if (typeof answer === 'string' || answer.status !== 200) return null;
      return namesIn([...answer.body.toString().matchAll(/"name":\s*"([^"]*)"/g)].map(([, name]) => name!));
    },
  };
}

function pathOf(name: string): string {
  return name.split('/').map(percentEncoded).join('/');
}

/** Only our own: others may keep things in the same bucket. */
function namesIn(keys: readonly string[]): string[] {
  return keys.flatMap((key) => objectName.exec(key)?.[1] ?? []);
}

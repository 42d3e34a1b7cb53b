import { createHash, createHmac } from 'node:crypto';
import type { Secret } from './secret.ts';

/*
 * Signature Version 4 of Amazon Web Services, in the header. Nothing here reads a clock or a network.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */

export interface AwsIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Of temporary credentials. */
  readonly sessionToken: Secret | null;
}

export interface AwsScope {
  readonly region: string;
  /** `s3`, `bedrock`, `sts` … */
  readonly service: string;
  /** Unix milliseconds. */
  readonly at: number;
}

export interface UnsignedRequest {
  readonly method: string;
  /** As it stands in the `host` header. */
  readonly host: string;
  /** As it goes over the wire, percent-encoded, with its query. */
  readonly path: string;
  /** Flat list name, value … of the other headers that are signed; never `host` or `x-amz-date`. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

const algorithm = 'AWS4-HMAC-SHA256';

/** The headers that make a request a signed one, as a flat list: `x-amz-date`, `authorization` and what goes with them. */
export function awsSignatureHeaders(request: UnsignedRequest, scope: AwsScope, identity: AwsIdentity): string[] {
  const time = new Date(scope.at).toISOString().replace(/[:-]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const bodyHash = createHash('sha256').update(request.body).digest('hex');
  const added = ['x-amz-date', time];
  if (scope.service === 's3') added.push('x-amz-content-sha256', bodyHash);
  if (identity.sessionToken !== null) added.push('x-amz-security-token', identity.sessionToken.reveal());

  const signed = canonicalHeaders(['host', request.host, ...request.headers, ...added]);
  const names = signed.map(([name]) => name).join(';');
  const [path = '/', query = ''] = splitAtQuery(request.path);
  const canonical = [
    request.method,
    scope.service === 's3' ? path : path.split('/').map(percentEncoded).join('/'),
    canonicalQuery(query),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    bodyHash,
  ].join('\n');

  const credentialScope = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const canonicalHash = createHash('sha256').update(canonical).digest('hex');
  const toSign = [algorithm, time, credentialScope, canonicalHash].join('\n');
  const signature = createHmac('sha256', signingKey(identity, credentialScope)).update(toSign).digest('hex');
  return [
    ...added,
    'authorization',
    `${algorithm} Credential=${identity.accessKeyId}/${credentialScope}, SignedHeaders=${names}, Signature=${signature}`,
  ];
}

/** The key of a day, a region and a service: good for every request in it. */
const signingKeys = new WeakMap<AwsIdentity, { readonly credentialScope: string; readonly key: Buffer }>();

function signingKey(identity: AwsIdentity, credentialScope: string): Buffer {
  const known = signingKeys.get(identity);
  if (known?.credentialScope === credentialScope) return known.key;
  let key = Buffer.from(`AWS4${identity.secretAccessKey.reveal()}`);
  for (const part of credentialScope.split('/')) key = createHmac('sha256', key).update(part).digest();
  signingKeys.set(identity, { credentialScope, key });
  return key;
}

function canonicalHeaders(flat: readonly string[]): [name: string, value: string][] {
  const values = new Map<string, string>();
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at]!.toLowerCase();
    const value = flat[at + 1]!.trim().replace(/ +/g, ' ');
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return [...values].sort(([one], [other]) => (one < other ? -1 : 1));
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .map((pair) => {
      const at = pair.indexOf('=');
      const name = at < 0 ? pair : pair.slice(0, at);
      return [
        percentEncoded(decodeURIComponent(name)),
        percentEncoded(at < 0 ? '' : decodeURIComponent(pair.slice(at + 1))),
      ] as const;
    })
    .sort((one, other) => (one[0] === other[0] ? order(one[1], other[1]) : order(one[0], other[0])))
    .map((pair) => pair.join('='))
    .join('&');
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function splitAtQuery(path: string): [string, string] {
  const at = path.indexOf('?');
  return at < 0 ? [path, ''] : [path.slice(0, at), path.slice(at + 1)];
}

/** Percent-encoding of everything but the unreserved characters of RFC 3986. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

import { type AwsIdentity, awsSignatureHeaders } from '../../core/aws-signature.ts';
import { type Outside, OutsideError, type OutsideRequest } from '../../core/ports.ts';
import { AuthorizationError } from '../../core/provider.ts';
import { Secret } from '../../core/secret.ts';
import type { Expiring } from '../../core/token-source.ts';

/* Temporary keys from the Security Token Service: https://docs.aws.amazon.com/STS/latest/APIReference */

export interface StsPlace {
  readonly region: string;
  /** Absolute address; the region's own where null. */
  readonly endpoint: string | null;
}

export interface RoleWish {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly externalId: string | null;
}

export function assumeRole(
  wish: RoleWish,
  base: AwsIdentity,
  place: StsPlace,
  outside: Outside,
): Promise<Expiring<AwsIdentity>> {
  const form = formOf('AssumeRole', wish, wish.externalId === null ? {} : { ExternalId: wish.externalId });
  const { address, host, path } = addressOf(place);
  const headers = ['content-type', 'application/x-www-form-urlencoded'];
  const scope = { region: place.region, service: 'sts', at: outside.now() };
  const signed = awsSignatureHeaders({ method: 'POST', host, path, headers, body: Buffer.from(form) }, scope, base);
  return ask({ method: 'POST', address, headers: [...headers, ...signed], body: form }, outside);
}

export function assumeRoleWithToken(
  wish: RoleWish,
  token: string,
  place: StsPlace,
  outside: Outside,
): Promise<Expiring<AwsIdentity>> {
  const form = formOf('AssumeRoleWithWebIdentity', wish, { WebIdentityToken: token });
  const { address } = addressOf(place);
  const headers = ['content-type', 'application/x-www-form-urlencoded'];
  return ask({ method: 'POST', address, headers, body: form }, outside);
}

function formOf(action: string, wish: RoleWish, more: Record<string, string>): string {
  return new URLSearchParams({
    Action: action,
    Version: '2011-06-15',
    RoleArn: wish.roleArn,
    RoleSessionName: wish.sessionName,
    ...more,
  }).toString();
}

function addressOf({ region, endpoint }: StsPlace): { address: string; host: string; path: string } {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const url = new URL(endpoint ?? `https://sts.${region}.${suffix}/`);
  return { address: url.href, host: url.host, path: url.pathname };
}

async function ask(request: OutsideRequest, outside: Outside): Promise<Expiring<AwsIdentity>> {
  const answer = await reached('the AWS token service', outside.send(request));
  const read = (name: string) =>
    new RegExp(`<${name}>([^<]+)</${name}>`).exec(answer.body)?.[1]?.replaceAll('&amp;', '&');
  if (answer.status !== 200) {
    const code = read('Code') ?? `status ${answer.status}`;
    throw new AuthorizationError(`the AWS token service refused the role: ${code}`, answer.status >= 500);
  }
  return temporary(
    {
      AccessKeyId: read('AccessKeyId'),
      SecretAccessKey: read('SecretAccessKey'),
      Token: read('SessionToken'),
      Expiration: read('Expiration'),
    },
    'the AWS token service',
  );
}

/** Keys as every source of temporary ones tells them. */
export function temporary(told: Readonly<Record<string, unknown>>, source: string): Expiring<AwsIdentity> {
  const { AccessKeyId: id, SecretAccessKey: key, Token: token, Expiration: expiration } = told;
  const expiresAt = typeof expiration === 'string' ? Date.parse(expiration) : Number.NaN;
  if (typeof id !== 'string' || typeof key !== 'string' || Number.isNaN(expiresAt)) {
    throw new AuthorizationError(`${source} answered without keys`);
  }
  const sessionToken = typeof token === 'string' ? new Secret(token) : null;
  return { value: { accessKeyId: id, secretAccessKey: new Secret(key), sessionToken }, expiresAt };
}

/** What was asked of the outside, or why it could not be. */
export async function reached<T>(what: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (cause) {
    if (cause instanceof OutsideError)
      throw new AuthorizationError(`${what} cannot be reached: ${cause.message}`, true);
    throw cause;
  }
}

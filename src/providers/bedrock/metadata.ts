import type { AwsIdentity } from '../../core/aws-signature.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Outside, OutsideAnswer } from '../../core/ports.ts';
import { AuthorizationError } from '../../core/provider.ts';
import type { Expiring } from '../../core/token-source.ts';
import { reached, temporary } from './sts.ts';

/* Keys that the machine or container the gateway runs on brings along. */

const machine = 'http://169.254.169.254/latest';
const containerHost = 'http://169.254.170.2';
const aloneMs = 2_000;

/** EC2, in the second version of its metadata service. */
export async function machineIdentity(outside: Outside): Promise<Expiring<AwsIdentity>> {
  const what = 'the metadata service of the machine';
  const ttl = ['x-aws-ec2-metadata-token-ttl-seconds', '300'];
  const token = await asked(outside, what, 'PUT', `${machine}/api/token`, ttl);
  const headers = ['x-aws-ec2-metadata-token', token.body];
  const roles = `${machine}/meta-data/iam/security-credentials/`;
  const role = await asked(outside, what, 'GET', roles, headers);
  const name = role.body.split('\n', 1)[0]!.trim();
  return read((await asked(outside, what, 'GET', roles + encodeURIComponent(name), headers)).body, what);
}

export interface ContainerPlace {
  readonly relativeUri: string | undefined;
  readonly fullUri: string | undefined;
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
}

/** ECS tasks, and EKS pods with an identity of their own. */
export async function containerIdentity(place: ContainerPlace, outside: Outside): Promise<Expiring<AwsIdentity>> {
  const what = 'the credential service of the container';
  const address = place.relativeUri === undefined ? place.fullUri! : containerHost + place.relativeUri;
  const token =
    place.tokenFile === undefined
      ? place.token
      : (await reached('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', outside.readFile(place.tokenFile))).trim();
  const headers = token === undefined ? [] : ['authorization', token];
  return read((await asked(outside, what, 'GET', address, headers)).body, what);
}

async function asked(
  outside: Outside,
  what: string,
  method: 'GET' | 'PUT',
  address: string,
  headers: readonly string[],
): Promise<OutsideAnswer> {
  const answer = await reached(what, outside.send({ method, address, headers, body: null, timeoutMs: aloneMs }));
  if (answer.status !== 200) throw new AuthorizationError(`${what} answered ${answer.status}`, answer.status >= 500);
  return answer;
}

function read(body: string, what: string): Expiring<AwsIdentity> {
  let told: unknown;
  try {
    told = JSON.parse(body);
  } catch {
    told = undefined;
  }
  if (!isJsonObject(told)) throw new AuthorizationError(`${what} answered without keys`);
  return temporary(told as JsonObject, what);
}

import { awsSignatureHeaders } from '../../core/aws-signature.ts';
import type { Authorize, ConnectionSettings } from '../../core/provider.ts';
import { identityOf, textOf } from './identity.ts';

/** A signature over every call, made by whoever the settings or the machine say is calling. */
export function signed(settings: ConnectionSettings, region: string, service: string): Authorize {
  const find = identityOf(settings, region);
  const sign = (
    identity: Parameters<typeof awsSignatureHeaders>[2],
    call: Parameters<Authorize>[0],
    at: number,
  ): readonly string[] => {
    const { method, path, body } = call;
    const host = new URL(call.origin).host;
    const headers = typeIn(call.headers);
    return awsSignatureHeaders({ method, host, path, headers, body }, { region, service, at }, identity);
  };
  return (call, outside) => {
    const identity = find(outside);
    if (!(identity instanceof Promise)) return sign(identity, call, outside.now());
    return identity.then((known) => sign(known, call, outside.now()));
  };
}

const jsonType: readonly string[] = ['content-type', 'application/json'];

/** The type of the body, which is signed too. */
function typeIn(headers: readonly string[]): readonly string[] {
  const at = headers.indexOf('content-type');
  return at < 0 ? [] : headers[at + 1] === jsonType[1] ? jsonType : ['content-type', headers[at + 1]!];
}

export const regionVariables: readonly string[] = ['AWS_REGION_NAME', 'AWS_REGION', 'AWS_DEFAULT_REGION'];

/** Where a model is served: what its name says, the settings, the environment. */
export function regionOf(settings: ConnectionSettings, named: string | undefined): string {
  const { environment = {} } = settings;
  const set = regionVariables.map((name) => environment[name]).find((value) => value !== undefined);
  return named ?? textOf(settings.extra.aws_region_name) ?? set ?? 'us-west-2';
}

export function suffixOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}

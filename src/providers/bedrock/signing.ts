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
    const headers = ['content-type', 'application/json'];
    return awsSignatureHeaders({ method, host, path, headers, body }, { region, service, at }, identity);
  };
  return (call, outside) => {
    const identity = find(outside);
    if (!(identity instanceof Promise)) return sign(identity, call, outside.now());
    return identity.then((known) => sign(known, call, outside.now()));
  };
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

import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isForbidden } from './forbidden-addresses.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

/** The name leads where a caller's words may not. Says nothing about the address: that would be a scanner's answer. */
export class ForbiddenAddress extends Error {
  constructor(host: string) {
    super(`${host} is not a public address`);
    this.name = 'ForbiddenAddress';
  }
}

/**
 * The look-up of one connection: resolved once, every answer checked, and the connection goes to what was checked. A
 * name that answers differently the next time (DNS rebinding) gets nothing from it. One forbidden answer spoils them all.
 */
export function guardedLookup(resolve: Resolve): LookupFunction {
  return (host, options, done) => {
    resolve(host).then(
      (addresses) => {
        if (addresses.length === 0 || addresses.some(({ address }) => isForbidden(address))) {
          done(new ForbiddenAddress(host), '', 0);
          return;
        }
        if (options.all) done(null, [...addresses]);
        else done(null, addresses[0]!.address, addresses[0]!.family);
      },
      (cause: Error) => done(cause, '', 0),
    );
  };
}

export const systemResolve: Resolve = (host) =>
  new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (cause, addresses) => (cause === null ? resolve(addresses) : reject(cause)));
  });

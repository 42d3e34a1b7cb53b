import { type BatchAddress, ProviderSettingsError } from '../core/provider.ts';

/* Buckets in which the files of batches lie. */

/** A bucket's name, with a folder in it where the operator wants one: everything goes there. */
export function folderIn(scheme: 'gs' | 's3', written: string): string {
  const place = written.replace(/^\w+:\/\//, '').replace(/^\/+|\/+$/g, '');
  return `${scheme}://${place}/${place.includes('/') ? '' : 'tollgate-batches/'}`;
}

export function addressIn(base: string, tail: string): BatchAddress {
  if (!URL.canParse(base)) throw new ProviderSettingsError('api_base', `${base} is not an address`);
  const { origin, pathname } = new URL(base);
  return { origin, path: pathname.replace(/\/+$/, '') + tail };
}

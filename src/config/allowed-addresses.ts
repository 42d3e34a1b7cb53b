import { BlockList, isIP } from 'node:net';

/** Whether an address is in a list of addresses and networks (`10.0.0.0/8`); null for no list. */
export function allowedAddresses(list: readonly string[] | undefined): ((address: string) => boolean) | null {
  if (list === undefined) return null;
  const known = new BlockList();
  for (const entry of list) {
    const [address = '', bits] = entry.trim().split('/');
    const family = familyOf(address);
    if (family === null) continue;
    if (bits === undefined) known.addAddress(address, family);
    else if (isPrefix(bits, family)) known.addSubnet(address, Number(bits), family);
  }
  return (given) => {
    // An IPv4 caller of a socket that takes both.
    const address = given.startsWith('::ffff:') && isIP(given.slice(7)) === 4 ? given.slice(7) : given;
    const family = familyOf(address);
    return family !== null && known.check(address, family);
  };
}

/** What an entry of the list must be; null when it is. */
export function addressFault(entry: string): string | null {
  const [address = '', bits] = entry.trim().split('/');
  const family = familyOf(address);
  if (family !== null && (bits === undefined || isPrefix(bits, family))) return null;
  return `'${entry.slice(0, 64)}' is no address: expected one such as 10.0.0.7, 10.0.0.0/8 or 2001:db8::/32`;
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? 'ipv4' : 'ipv6';
}

function isPrefix(bits: string, family: 'ipv4' | 'ipv6'): boolean {
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 'ipv4' ? 32 : 128);
}

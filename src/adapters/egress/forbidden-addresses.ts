import { BlockList, isIP } from 'node:net';

/*
 * Addresses that a caller's words may never lead to: this machine, private networks, link-local (cloud metadata) and
 * everything that reaches IPv4 by another name. IANA's special-purpose registries.
 */
const forbidden = new BlockList();
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  forbidden.addSubnet(address, bits, 'ipv4');
}
for (const [address, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const) {
  forbidden.addSubnet(address, bits, 'ipv6');
}

/** Global unicast: of IPv6, everything else is special (mapped, translated, local, multicast). */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** May a caller's address lead there? `address` is an IP address without brackets or zone. */
export function isForbidden(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return forbidden.check(address, 'ipv4');
    case 6:
      return !globalUnicast.check(address, 'ipv6') || forbidden.check(address, 'ipv6');
    default:
      return true;
  }
}

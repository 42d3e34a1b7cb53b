import { getCACertificates } from 'node:tls';
import type { EgressSettings } from '../../core/egress.ts';

/** What node:tls wants of it; undefined where everything is as usual. */
export function tlsOptions({ verifies, trusted, identity, ipv4Only }: EgressSettings) {
  if (verifies && trusted === null && identity === null && !ipv4Only) return undefined;
  return {
    ...(!verifies && { rejectUnauthorized: false }),
    ...(trusted !== null && { ca: [...getCACertificates('default'), trusted] }),
    ...(identity !== null && { cert: identity, key: identity }),
    ...(ipv4Only && { family: 4, autoSelectFamily: false }),
  };
}

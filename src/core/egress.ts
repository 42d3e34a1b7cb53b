/** How connections to providers and sinks are made. Read at the start. */
export interface EgressSettings {
  /** Whether the certificates of the other side are checked. */
  readonly verifies: boolean;
  /** Certificates that are trusted beside the system's, PEM. */
  readonly trusted: string | null;
  /** What the gateway shows of itself where it is asked: certificate and key, PEM. */
  readonly identity: string | null;
  readonly ipv4Only: boolean;
}

export const plainEgress: EgressSettings = Object.freeze({
  verifies: true,
  trusted: null,
  identity: null,
  ipv4Only: false,
});

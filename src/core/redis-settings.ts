import type { Secret } from './secret.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** Where Redis or Valkey is and how to sign in. */
export interface RedisSettings {
  readonly topology:
    | { readonly kind: 'single'; readonly address: RedisAddress }
    /** The sentinels know the address of the primary called `name`. */
    | {
        readonly kind: 'sentinel';
        readonly sentinels: readonly RedisAddress[];
        readonly name: string;
        readonly password: Secret | null;
      }
    | { readonly kind: 'cluster'; readonly nodes: readonly RedisAddress[] };
  readonly username: string | null;
  readonly password: Secret | null;
  /** Number of the database; 0 in a cluster. */
  readonly database: number;
  /** null = no TLS. */
  readonly tls: { readonly verifiesCertificate: boolean; readonly verifiesHostname: boolean } | null;
  /** First part of every key and channel. */
  readonly prefix: string;
  /** Whether cached answers are kept there too. */
  readonly keepsAnswers: boolean;
}

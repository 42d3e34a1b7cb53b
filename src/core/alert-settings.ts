import type { Secret } from './secret.ts';

/** Where alerts go beside the log, and what is worth one. Read at the start. */
export interface AlertSettings {
  readonly webhook: Secret | null;
  readonly slack: Secret | null;
  readonly mail: MailSetting | null;
  /** Slack addresses of single kinds, in place of the common one. */
  readonly slackByKind: ReadonlyMap<string, readonly Secret[]>;
  /** Milliseconds between two reports of what was spent; null = none. */
  readonly reportEveryMs: number | null;
  /** LiteLLM's names of kinds; null = all of them. */
  readonly kinds: ReadonlySet<string> | null;
  /** An attempt that takes longer counts as slow. */
  readonly slowMs: number;
  /** Share of a deployment's attempts in a minute that must fail, or be slow. */
  readonly share: number;
  /** Fewer attempts in a minute say nothing. */
  readonly attemptsMin: number;
  /** A key's spend of today against its mean day. */
  readonly spendFactor: number;
  /** Dollars a day below which no spend is unusual. */
  readonly spendMinDollars: number;
}

export interface MailSetting {
  readonly host: string;
  readonly port: number;
  /** `tls`: from the first byte; `starttls`: asked for, and nothing is said without it. */
  readonly security: 'none' | 'starttls' | 'tls';
  readonly username: string | null;
  readonly password: Secret | null;
  readonly from: string;
  readonly recipients: readonly string[];
}

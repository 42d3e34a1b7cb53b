import type { AlertSettings, MailSetting } from '../core/alert-settings.ts';
import { lifetimeEnd } from '../core/duration.ts';
import { Secret } from '../core/secret.ts';
import type { Environment } from './environment.ts';
import type { Config } from './load.ts';
import { isMap } from './read-file.ts';
import { Written } from './telemetry/variables.ts';

export const alertDefaults = {
  slowSeconds: 300,
  share: 0.5,
  attemptsMin: 5,
  spendFactor: 5,
  spendMinDollars: 10,
} as const;

/** `general_settings.alerting` and what belongs to it, in the file and in the environment. */
export function alertSettings(config: Config | null, environment: Environment): AlertSettings {
  const general = config?.sections.general_settings ?? {};
  const written = new Written(config?.environment ?? environment, general.alerting_args);
  const channels = new Set(general.alerting ?? []);
  const number = (name: string, otherwise: number) => written.count([name]) ?? otherwise;
  const only = (channel: string, address: Secret | null) => (channels.has(channel) ? address : null);
  return {
    webhook: only('webhook', written.secret([], ['WEBHOOK_URL'])),
    slack: only('slack', written.secret([], ['SLACK_WEBHOOK_URL'])),
    mail: channels.has('email') || channels.has('smtp_email') ? mailSetting(written) : null,
    slackByKind: channels.has('slack') ? slackByKind(general.alert_to_webhook_url) : new Map(),
    reportEveryMs: reportEvery(general.spend_report_frequency),
    kinds: general.alert_types === undefined ? null : new Set(general.alert_types),
    slowMs: (general.alerting_threshold ?? alertDefaults.slowSeconds) * 1_000,
    share: Math.min(1, number('failure_share', alertDefaults.share)),
    attemptsMin: Math.max(1, number('minimum_attempts', alertDefaults.attemptsMin)),
    spendFactor: number('spend_factor', alertDefaults.spendFactor),
    spendMinDollars: number('spend_minimum', alertDefaults.spendMinDollars),
  };
}

/** A list of addresses, or one, by kind. */
function slackByKind(written: unknown): ReadonlyMap<string, readonly Secret[]> {
  const found = new Map<string, readonly Secret[]>();
  if (!isMap(written)) return found;
  for (const [kind, value] of Object.entries(written)) {
    const addresses = [value].flat().filter((one): one is string => typeof one === 'string' && URL.canParse(one));
    if (addresses.length > 0)
      found.set(
        kind,
        addresses.map((address) => new Secret(address)),
      );
  }
  return found;
}

/** `7d`, `1mo`, `daily` …; a figure alone counts days. */
function reportEvery(written: string | undefined): number | null {
  if (written === undefined) return null;
  try {
    const end = lifetimeEnd(/^\d+$/.test(written) ? `${written}d` : written, 0);
    return end === null ? null : Math.max(end, 60_000);
  } catch {
    return null;
  }
}

/** null when there is no server, no sender or nobody to send to. */
function mailSetting(written: Written): MailSetting | null {
  const host = written.text(['smtp_host'], ['SMTP_HOST']);
  const from = written.text(['smtp_sender_email'], ['SMTP_SENDER_EMAIL']);
  const recipients = (written.text(['email_to'], ['ALERT_EMAIL_TO']) ?? '')
    .split(/[,;\s]+/)
    .filter((address) => plainAddress.test(address));
  if (host === null || from === null || !plainAddress.test(from) || recipients.length === 0) return null;
  const port = written.count(['smtp_port'], ['SMTP_PORT']) ?? 587;
  const tls = written.flag(['smtp_tls'], ['SMTP_TLS']) ?? true;
  return {
    host,
    port,
    security: port === 465 ? 'tls' : tls ? 'starttls' : 'none',
    username: written.text(['smtp_username'], ['SMTP_USERNAME']),
    password: written.secret([], ['SMTP_PASSWORD']),
    from,
    recipients,
  };
}

/** Nothing that could end a line or a command of the mail protocol. */
const plainAddress = /^[^\s<>,;"\\]+@[^\s<>,;"\\]+$/;

/** Credentials in it, for the scrubber of logs. */
export function alertSecrets({ webhook, slack, mail, slackByKind }: AlertSettings): Secret[] {
  const known = [webhook, slack, mail?.password ?? null, ...[...slackByKind.values()].flat()];
  return known.filter((secret) => secret !== null);
}

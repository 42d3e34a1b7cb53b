import type { AlertSettings } from '../../core/alert-settings.ts';
import type { Alert, Clock, Log } from '../../core/ports.ts';
import { AlertDelivery } from './delivery.ts';
import { mailChannel } from './mail.ts';
import { slackChannel, webhookChannel } from './webhooks.ts';

/** What LiteLLM's `alert_types` call each event. */
const kinds: Readonly<Record<Alert['event'], string>> = {
  soft_budget_crossed: 'budget_alerts',
  threshold_crossed: 'budget_alerts',
  budget_crossed: 'budget_alerts',
  deployment_failing: 'outage_alerts',
  deployment_slow: 'llm_too_slow',
  deployment_cooled_down: 'cooldown_deployment',
  deployment_suspended: 'budget_alerts',
  store_down: 'db_exceptions',
  store_back: 'db_exceptions',
  spend_unusual: 'spend_reports',
  spend_report: 'spend_reports',
  sink_losing: 'failed_tracking_spend',
};

/** Rests of deployments are usual; they are told to whoever asks for them by name. */
const onRequest: ReadonlySet<string> = new Set(['cooldown_deployment']);

export function openAlerts(
  settings: AlertSettings,
  claim: (id: string, now: number) => Promise<boolean>,
  clock: Clock,
  log: Log,
): AlertDelivery {
  const { webhook, slack, mail, slackByKind } = settings;
  const kindOf = ({ event }: Alert) => kinds[event];
  return new AlertDelivery({
    channels: [
      ...(webhook === null ? [] : [webhookChannel(webhook)]),
      ...(slack === null ? [] : [{ ...slackChannel(slack), hears: (alert: Alert) => !slackByKind.has(kindOf(alert)) }]),
      ...[...slackByKind].flatMap(([kind, addresses]) =>
        addresses.map((address) => ({ ...slackChannel(address), hears: (alert: Alert) => kindOf(alert) === kind })),
      ),
      ...(mail === null ? [] : [mailChannel(mail, clock)]),
    ],
    claim,
    wants: ({ event }) => (settings.kinds === null ? !onRequest.has(kinds[event]) : settings.kinds.has(kinds[event])),
    clock,
    log,
  });
}

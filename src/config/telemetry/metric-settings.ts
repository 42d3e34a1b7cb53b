import type { MetricSettings } from '../../core/sink-settings.ts';
import type { Config } from '../load.ts';

export function metricSettings({ sections }: Config): MetricSettings {
  const litellm = sections.litellm_settings ?? {};
  return Object.freeze({
    endUser:
      (litellm.enable_end_user_cost_tracking_prometheus_only ?? false) &&
      !(litellm.disable_end_user_cost_tracking_prometheus_only ?? false),
    stream: litellm.prometheus_emit_stream_label ?? false,
    metadataLabels: litellm.custom_prometheus_metadata_labels ?? [],
    tags: litellm.custom_prometheus_tags ?? [],
    only: onlyThese(litellm.prometheus_metrics_config),
    budgetsFromStart: litellm.prometheus_initialize_budget_metrics ?? false,
  });
}

/** Groups of metrics, each with the labels they keep. */
function onlyThese(groups: readonly Readonly<Record<string, unknown>>[] | undefined): MetricSettings['only'] {
  if (groups === undefined) return null;
  const only = new Map<string, readonly string[] | null>();
  for (const { metrics, include_labels: labels } of groups) {
    for (const name of texts(metrics)) {
      only.set(name.replace(/_total$/, ''), Array.isArray(labels) ? texts(labels) : null);
    }
  }
  return only;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

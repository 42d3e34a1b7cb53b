import type { OwnSink } from '../../core/identity.ts';
import type { Clock, Log, RecordSink, Tracing } from '../../core/ports.ts';
import type { OpenTelemetrySetting, SinkSetting, TelemetrySettings } from '../../core/sink-settings.ts';
import type { Program } from '../sinks/open-destination.ts';
import type { Sender } from '../sinks/post.ts';
import { Sinks } from '../sinks/sinks.ts';
import { BudgetMetrics, type BudgetReadings } from './budget-metrics.ts';
import { DeploymentMetrics, type DeploymentReadings } from './deployment-metrics.ts';
import { Exposition } from './exposition.ts';
import { GenAiMetrics } from './otlp/gen-ai-metrics.ts';
import { MetricsExport } from './otlp/metrics-export.ts';
import { createTracing } from './otlp/tracing.ts';
import { ProcessMetrics } from './process-metrics.ts';
import { requestLog } from './request-log.ts';
import { RequestMetrics } from './request-metrics.ts';
import { SinkMetrics } from './sink-metrics.ts';
import { StoreMetrics, type StoreReadings } from './store-metrics.ts';

export interface TelemetryOptions {
  readonly sender: Sender;
  readonly log: Log;
  readonly program: Program;
  readonly settings: TelemetrySettings;
  /** One line in the log for each request. */
  readonly logsRequests: boolean;
  /** The sink that a key or team asks for, or why there is none. */
  readonly ownSink: (rule: OwnSink) => SinkSetting | string;
  readonly readings: DeploymentReadings & Omit<BudgetReadings, 'now'> & StoreReadings;
}

/** Everything that is told of requests, in one place: metrics, sinks, spans, the log. */
export interface Telemetry {
  readonly recordSinks: readonly RecordSink[];
  readonly tracing: Tracing;
  readonly exposition: Exposition;
  readonly stores: StoreMetrics;
  readonly budgets: BudgetMetrics;
  readonly deploymentMetrics: DeploymentMetrics;
  readonly sinks: Sinks;
  /** A new configuration comes into force. Metrics keep the names and labels they started with. */
  apply(settings: TelemetrySettings): void;
  close(): Promise<void>;
}

export function openTelemetry(options: TelemetryOptions): Telemetry {
  const { sender, log, program, settings, readings } = options;
  let openTelemetrySetting: OpenTelemetrySetting | null = settings.openTelemetry;
  const requests = new RequestMetrics(settings.metrics);
  const budgets = new BudgetMetrics(settings.metrics, { ...readings, now: () => sender.clock.now() });
  const stores = new StoreMetrics(settings.metrics, readings);
  const deploymentMetrics = new DeploymentMetrics(settings.metrics, readings);
  const sinks = new Sinks({ sender, log, program, ownSink: options.ownSink });
  const exposition = new Exposition([
    requests,
    deploymentMetrics,
    budgets,
    stores,
    new SinkMetrics(() => sinks.states()),
    new ProcessMetrics(program.version),
  ]);
  const genAi = settings.openTelemetry?.metrics ? new GenAiMetrics(program.conventionName) : null;
  const metricsExport = new MetricsExport({
    source: { families: () => [...exposition.families(), ...(genAi?.families() ?? [])] },
    sender,
    log,
    program,
  });
  const apply = (next: TelemetrySettings): void => {
    openTelemetrySetting = next.openTelemetry;
    metricsExport.apply(next.openTelemetry?.metrics ?? null);
    sinks.apply(next.sinks);
  };
  apply(settings);
  return {
    recordSinks: [
      ...[requests, budgets, stores, sinks],
      ...(genAi === null ? [] : [genAi]),
      ...(options.logsRequests ? [requestLog(log)] : []),
    ],
    tracing: createTracing(() => openTelemetrySetting),
    exposition,
    stores,
    budgets,
    deploymentMetrics,
    sinks,
    apply,
    close: async () => {
      await Promise.all([sinks.close(), metricsExport.close()]);
    },
  };
}

/** The same object, whose calls are timed; what it throws goes on to its caller. */
export function observed<Target extends object>(
  target: Target,
  clock: Clock,
  onCall: (milliseconds: number, isAnswered: boolean) => void,
): Target {
  return new Proxy(target, {
    get(original, name) {
      const member: unknown = Reflect.get(original, name);
      if (typeof member !== 'function') return member;
      return (...words: unknown[]) => {
        const startedTick = clock.tick();
        const answer: unknown = member.apply(original, words);
        if (answer instanceof Promise) {
          answer.then(
            () => onCall(clock.tick() - startedTick, true),
            () => onCall(clock.tick() - startedTick, false),
          );
        }
        return answer;
      };
    },
  });
}

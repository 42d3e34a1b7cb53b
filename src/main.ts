import { join } from 'node:path';
import { openAlerts } from './adapters/alerts/open-alerts.ts';
import { AlertWatch } from './adapters/alerts/watch.ts';
import { openAnswers } from './adapters/answers/open-answers.ts';
import { GuardedMediaFetcher } from './adapters/egress/media-fetcher.ts';
import { DiskJournalFolder } from './adapters/journal-folder.ts';
import { openLedger } from './adapters/ledger/ledger.ts';
import { openOutside } from './adapters/outside.ts';
import { StorePrincipals } from './adapters/principals.ts';
import { writeRecordFile } from './adapters/record-file.ts';
import { sealedObjects } from './adapters/sealed-objects.ts';
import { openShared } from './adapters/shared.ts';
import { socketTransport } from './adapters/socket-transport.ts';
import { openStore } from './adapters/sql/open-store.ts';
import { StoreClock } from './adapters/store-clock.ts';
import { Suspensions } from './adapters/suspensions.ts';
import { atEndOfTurn, systemChance, systemClock } from './adapters/system-clock.ts';
import { learnStoredBudgets } from './adapters/telemetry/budgets-from-start.ts';
import { DebugWatch } from './adapters/telemetry/debug-watch.ts';
import { type LogLevel, openLog } from './adapters/telemetry/log.ts';
import { observed, openTelemetry, type Telemetry } from './adapters/telemetry/telemetry.ts';
import { TokenCounter } from './adapters/token-counter.ts';
import { undiciTransport } from './adapters/undici-transport.ts';
import type { DeploymentCondition } from './admin/control-plane.ts';
import { createVault, keyOf } from './admin/encryption.ts';
import { HealthChecks } from './admin/health-checks.ts';
import { startRetention, type WriteArchive } from './admin/retention.ts';
import { openSinkVariable } from './admin/sealed-sinks.ts';
import { loadStoredConfig, snapshotWritten, storedModelFault } from './admin/stored-models.ts';
import { controlEndpoints } from './compat/litellm/endpoints.ts';
import { createDescribeReply } from './compat/litellm/response-headers.ts';
import { alertSecrets } from './config/alert-settings.ts';
import { controlSettings } from './config/control-settings.ts';
import type { Diagnostic } from './config/diagnostic.ts';
import { egressSettings } from './config/egress-settings.ts';
import type { Environment } from './config/environment.ts';
import { exportToSystem } from './config/environment.ts';
import { LiveConfig } from './config/live-config.ts';
import { findMasterKey, type MasterKey, writeMasterKey } from './config/master-key.ts';
import { ownRoutings } from './config/own-routing.ts';
import { prepareConfig } from './config/prepare.ts';
import { readRedisSettings } from './config/redis-settings.ts';
import { readStartSettings } from './config/start-settings.ts';
import type { StoredSettings } from './config/stored-settings.ts';
import { ownSinkSetting, teamSinkHosts } from './config/telemetry/own-sink.ts';
import { debugScope, readDebugWord } from './core/debug-wish.ts';
import type { Chance, Clock, Log } from './core/ports.ts';
import type { Snapshot } from './core/route.ts';
import { type DemoUpstreams, startDemoUpstreams } from './demo/upstreams.ts';
import { batchDesks } from './dialects/batch-desks/index.ts';
import { dialects } from './dialects/index.ts';
import { requireOpenRoute } from './gateway/access/allowed-routes.ts';
import { callerAddress, requireAllowedAddress } from './gateway/access/entry-rules.ts';
import { mayUse } from './gateway/access/model-access.ts';
import { principalOf, requireUsable } from './gateway/authenticate.ts';
import { BatchRuns } from './gateway/batches/runs.ts';
import { freePaths } from './gateway/free/routes.ts';
import type { Gateway } from './gateway/gateway.ts';
import { AnswerIds } from './gateway/kept/answer-ids.ts';
import { BackgroundWork } from './gateway/kept/background.ts';
import { Shelf } from './gateway/kept/shelf.ts';
import { dataPaths } from './gateway/operations.ts';
import { serve } from './gateway/pipeline.ts';
import { previewRequest } from './gateway/preview.ts';
import { probe } from './gateway/probe.ts';
import { createHealth } from './gateway/routing/health.ts';
import { ClientSecrets } from './gateway/session/client-secrets.ts';
import { createControl } from './http/control.ts';
import { Readiness } from './http/readiness.ts';
import { openHttpServer } from './http/server.ts';
import { providerDirectory } from './providers/index.ts';
import { storageTokens } from './providers/vertex_ai/storage-token.ts';

export interface StartOptions {
  /** null serves the built-in demo. */
  readonly configFile: string | null;
  /** What stands in it, where it is no file. */
  readonly configText?: string;
  readonly host: string;
  /** null = the configuration's, the environment's, or 4000; 0 takes a free one. */
  readonly port: number | null;
  /** null = the configuration's. */
  readonly dataFolder: string | null;
  readonly logLevel: LogLevel | null;
  readonly version: string;
  /** Processes that share the port and the data folder, this one included. */
  readonly workers: number;
  readonly environment: Environment;
  /** Told of what a configuration holds that is wrong, odd or not active; `isRefused` when the old one stays. */
  onReport(diagnostics: readonly Diagnostic[], isRefused: boolean): void;
}

export interface RunningGateway {
  readonly address: string;
  /** What the leases of this process stand under in the store. */
  readonly replica: string;
  readonly masterKey: MasterKey;
  readonly dataFolder: string;
  readonly isDemo: boolean;
  /** Whether limits and cached answers can be shared with other processes. */
  readonly hasRedis: boolean;
  readonly demo: DemoUpstreams | null;
  readonly log: Log;
  snapshot(): Snapshot;
  /** Reads the configuration again; false when it is refused and the old one stays. */
  reload(): boolean;
  /** Finishes what is in flight, writes the books, closes everything. */
  close(): Promise<void>;
}

const portDefault = 4000;
/** A change of these is a change of the configuration. */
const configScopes: ReadonlySet<string> = new Set(['model', 'credential', 'access_group', 'setting']);
const cacheBytesMaxDefault = 64 * 1024 * 1024;

/** The composition root: configuration → adapters → gateway → doors. */
export async function startGateway(options: StartOptions): Promise<RunningGateway> {
  const clock = systemClock();
  const closers: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await assemble(options, clock, systemChance, closers, closeAll);
  } catch (cause) {
    await closeAll();
    throw cause;
  }
}

async function assemble(
  options: StartOptions,
  machine: Clock,
  chance: Chance,
  closers: (() => Promise<void> | void)[],
  closeAll: () => Promise<void>,
): Promise<RunningGateway> {
  const demo = options.configFile === null ? await startDemoUpstreams({ clock: machine }) : null;
  if (demo !== null) closers.push(() => demo.close());
  const { configText } = options;
  const written = configText === undefined ? undefined : () => configText;
  const prepare = (stored: StoredSettings = {}) =>
    demo === null
      ? prepareConfig(options.configFile ?? '', options.environment, machine.now(), written, stored)
      : { ...prepareConfig('demo.yaml', options.environment, machine.now(), () => demo.config, stored), files: [] };

  const first = prepare();
  const settings = readStartSettings(first.config ?? null, options.environment);
  if (first.config !== undefined) exportToSystem(first.config.variables);
  const dataFolder = options.dataFolder ?? settings.dataFolder;
  const masterKey =
    findMasterKey(settings.masterKey, options.environment, dataFolder) ?? writeMasterKey(dataFolder, chance.token(32));

  const config = new LiveConfig({
    prepare,
    directory: providerDirectory,
    masterKey: masterKey.key,
    onSwap: (swapped) => telemetry?.apply(swapped.telemetry),
    onReport: options.onReport,
  });
  let telemetry: Telemetry | null = null;
  const snapshot = () => config.snapshot;
  const redis = readRedisSettings(first.config ?? null, options.environment);
  const redisSecrets = redis === null || redis.password === null ? [] : [redis.password];
  const logLevel = options.logLevel ?? settings.logLevel ?? 'warn';
  const log = openLog({
    level: logLevel,
    secrets: () => [masterKey.key, ...redisSecrets, ...alertSecrets(settings.alerts), ...snapshot().secrets],
  });

  const { databaseUrl, databaseConnectionsMax } = settings;
  const store = await openStore({
    databaseUrl,
    dataFolder,
    connectionsMax: databaseConnectionsMax,
    connectTimeoutMs: settings.databaseConnectMs,
  });
  closers.push(() => store.close());
  const clock = store.time === null ? machine : await StoreClock.follow({ machine, ask: store.time, log });
  if (clock instanceof StoreClock) closers.push(() => clock.close());
  const vault = createVault(settings.saltKey ?? masterKey.key);
  const reloadModels = async () => {
    const kinds = config.written.sections.general_settings?.supported_db_objects;
    config.setStored(await loadStoredConfig(store, vault, options.environment, log, kinds));
  };
  await reloadModels();

  const alerts = openAlerts(settings.alerts, (id, now) => store.alerts.claim(id, now), clock, log);
  closers.push(() => alerts.close());
  const suspensions = new Suspensions({
    store,
    announce: (change) => shared.invalidation.announce(change),
    alerts,
    clock,
    chance,
    log,
  });
  await suspensions.reload();
  const ledger = await openLedger({
    books: observed(store.books, clock, (ms, isAnswered) => telemetry?.stores.storeCall(ms, isAnswered)),
    folder: new DiskJournalFolder(join(dataFolder, 'journal')),
    clock,
    chance,
    log,
    // A server may have many gateways; the embedded database has those that share the folder.
    alone: databaseUrl === null,
    atEndOfTurn,
    recalls: store.recalls,
    unknownCharge: snapshot().settings.unknownOutcome === 'charge_bound' ? 'bound' : 'nothing',
    spools: () => snapshot().settings.budgetStoreDown === 'spool',
    alerts,
    onBoundBreach: (record, bound) => suspensions.breached(record, bound),
  });
  closers.push(() => ledger.close());

  const egress = egressSettings(first.config ?? null, options.environment);
  const transport = undiciTransport(egress);
  closers.push(() => transport.close());
  const outside = openOutside(transport, clock);
  telemetry = openTelemetry({
    sender: { transport, clock },
    log,
    program: {
      version: options.version,
      instance: ledger.processId,
      conventionName: (id) => providerDirectory.byId(id)?.conventionName ?? id,
    },
    settings: snapshot().telemetry,
    ownSink: (rule) =>
      ownSinkSetting(rule, {
        environment: options.environment,
        telemetry: snapshot().telemetry,
        hosts: [
          ...(config.written.sections.general_settings?.sink_hosts ?? []),
          ...teamSinkHosts(config.written.sections.litellm_settings?.default_team_settings),
        ],
        hidesCaller: config.written.sections.litellm_settings?.redact_user_api_key_info ?? false,
        open: (text) => openSinkVariable(text, vault),
      }),
    logsRequests: logLevel === 'info' || logLevel === 'debug',
    readings: {
      inFlight: () => server.inFlight(),
      deployments: () => snapshot().deployments.values(),
      condition: (deployment) => gateway.health.state(deployment),
      balance: (rule) => ledger.balance(rule),
      figures: () => ledger.figures(),
      redisIsUp: () => shared.redisIsUp(),
    },
  });
  const { stores, recordSinks, tracing, exposition, deploymentMetrics } = telemetry;
  closers.push(() => telemetry?.close());
  const tokens = new TokenCounter();
  closers.push(() => tokens.close());
  const principals = new StorePrincipals({
    store,
    clock,
    snapshot,
    ttlMs: settings.keyCacheMs,
    servesStale: () => controlSettings(config.written).requestsAllowedWithoutStore,
  });
  const shared = await openShared({
    id: ledger.processId,
    ended: ledger.figures().recovery.ended,
    redis,
    store,
    alone: databaseUrl === null && options.workers === 1,
    clock,
    chance,
    log,
    answers: openAnswers(snapshot().settings.cache?.place, { transport, clock }, log, storageTokens(outside)),
    cacheBytesMax: snapshot().settings.cache?.bytesMax ?? cacheBytesMaxDefault,
    onRedisCall: (ms, isAnswered) => stores.redisCall(ms, isAnswered),
    limitsWithoutRedis: () => snapshot().settings.limitsWithoutRedis,
  });
  closers.push(() => shared.close());
  const modelReload = coalesced(reloadModels, (cause) =>
    log.error('changed models cannot be read', { reason: cause.message }),
  );
  const debug = new DebugWatch(clock, log.loud);
  shared.invalidation.onChange((what, isOwn) => {
    if (what?.scope === debugScope) {
      const wish = readDebugWord(what.id);
      if (wish !== null) debug.wish(wish);
      return;
    }
    principals.invalidate(what);
    if (isOwn) return;
    if (what === null || what.scope === 'setting') void suspensions.reload();
    if (what === null || configScopes.has(what.scope)) modelReload();
  });
  const background = new BackgroundWork();
  closers.push(() => background.close());
  const seal = { seal: vault.seal, open: (text: string, id: string) => vault.open(text, id).reveal() };
  const { sinks } = telemetry;
  const watch = new AlertWatch({
    alerts,
    settings: settings.alerts,
    clock,
    log,
    usage: store.usage,
    storeIsUp: () => stores.storeIsUp,
    redisIsUp: () => shared.redisIsUp(),
    sinks: () => sinks.states(),
  });
  closers.push(() => watch.close());
  if (snapshot().telemetry.metrics.budgetsFromStart) {
    const settings = () => snapshot().settings;
    const stored = { store, principals, ledger, metrics: telemetry.budgets, now: () => clock.now(), settings };
    learnStoredBudgets(stored).catch((cause: Error) =>
      log.warn('budgets could not be read for the metrics', { reason: cause.message }),
    );
  }
  const keptObjects = sealedObjects(store.objects, seal, log);
  const keepsObjects = snapshot().settings.keptAnswers.isOn;
  const gateway: Gateway & { batches: BatchRuns | null } = {
    clock,
    chance,
    transport,
    sockets: socketTransport(egress),
    outside,
    media: new GuardedMediaFetcher(),
    ledger,
    limiter: shared.limiter,
    cache: shared.cache,
    principals,
    idempotency: store.idempotency,
    tokens,
    kept: keepsObjects ? new Shelf(keptObjects, clock) : null,
    clientSecrets: new ClientSecrets(keyOf(settings.saltKey ?? masterKey.key, 'realtime client secrets v1')),
    answerIds: new AnswerIds(keyOf(settings.saltKey ?? masterKey.key, 'ids of kept answers v1')),
    background,
    batches: null,
    batchDesks,
    dialects,
    health: createHealth(clock, (deployment, error) => {
      deploymentMetrics.cooledDown(deployment, error.status);
      watch.cooledDown(deployment, error);
    }),
    suspended: suspensions,
    sinks: [...recordSinks, watch, debug],
    tracing,
    log,
    describeReply: createDescribeReply(options.version),
    ownRouting: ownRoutings(),
    snapshot,
  };

  if (keepsObjects) {
    const batches = new BatchRuns(gateway, keptObjects);
    gateway.batches = batches;
    batches.start();
    closers.push(() => batches.close());
  }

  const readiness = new Readiness(clock);
  const healthChecks = new HealthChecks({
    clock,
    settings: () => controlSettings(config.written).healthChecks,
    deployments: () => snapshot().deployments.values(),
    probe: (deployment) => probe(gateway, deployment, masterKey.key),
    notes: shared.checkNotes,
    onChecked: (deployment, { healthy, status }) => gateway.health.checked(deployment, healthy, status),
  });
  const control = createControl({
    endpoints: controlEndpoints({
      store,
      ledger,
      principals: {
        find: (keyId) => principals.find(keyId),
        tag: (name) => principals.tag(name),
        invalidate: (what) => shared.invalidation.announce(what),
      },
      cache: gateway.cache,
      clock,
      chance,
      log,
      vault,
      version: options.version,
      snapshot,
      mayUse: (principal, names) => mayUse(principal, names, snapshot()),
      condition: (deployment): DeploymentCondition => gateway.health.state(deployment),
      suspended: suspensions,
      isReady: () => readiness.ask(),
      inFlight: () => server.inFlight(),
      probe: (deployment) => probe(gateway, deployment, masterKey.key),
      probeEntry: async (entry) => {
        const found = snapshotWritten(entry, config, options.environment);
        if (found === null)
          return { healthy: false, asked: false, error: 'cannot be read', status: null, durationMs: 0, headers: {} };
        return probe({ ...gateway, snapshot: () => found.snapshot }, found.deployment, masterKey.key);
      },
      healthChecks,
      modelFault: (entry) => storedModelFault(entry, config, options.environment),
      preview: (principal, path, body) => previewRequest(gateway, principal.keyId, path, body),
      reloadConfig: () => config.reload(),
      reloadModels,
      debug,
      checkSettings: (settings) => config.checkSettings(settings),
      metrics: async () => ({ contentType: exposition.contentType, text: exposition.render() }),
      countTokens: (text, model) => tokens.count(text, model),
      get settings() {
        return controlSettings(config.written);
      },
      dataPaths,
      freePaths,
    }),
    store,
    clock,
    chance,
    log,
    authenticate: async (headers) => {
      const principal = await principalOf(principals, snapshot().settings, headers);
      if (principal.kind === 'virtual_key') requireUsable(principal, clock.now());
      return principal;
    },
    requireAddress: (address, headers) => {
      const { settings } = snapshot();
      requireAllowedAddress(settings, callerAddress(settings, headers, address));
    },
    requireOpenRoute(path, groups) {
      const { routeRules } = snapshot().settings;
      if (routeRules) requireOpenRoute(routeRules, path, groups);
    },
    isOpenToAll: (path) => config.written.sections.general_settings?.public_routes?.includes(path) ?? false,
    bodyBytesMax: () => snapshot().settings.bodyBytesMax,
    dialects: gateway.dialects,
  });

  const server = await openHttpServer(gateway, {
    host: options.host,
    port: options.port ?? settings.port ?? portDefault,
    serve,
    control,
    readiness,
  });
  closers.push(() => server.close());
  if (demo === null) {
    const fileWatch = config.watch(clock);
    closers.push(() => fileWatch.close());
  }
  closers.push(
    healthChecks.start(),
    startRetention(
      store,
      clock,
      log,
      () => {
        const { recordsKeptMs, recordsSweptMs, recordsSchedule, recordsArchive } = controlSettings(config.written);
        return {
          keptMs: recordsKeptMs,
          intervalMs: recordsSweptMs,
          schedule: recordsSchedule,
          archiveFolder: recordsArchive,
        };
      },
      archive,
    ),
  );

  return {
    address: `http://${shownHost(server.host)}:${server.port}`,
    replica: ledger.processId,
    masterKey,
    dataFolder,
    isDemo: demo !== null,
    hasRedis: redis !== null,
    demo,
    log,
    snapshot,
    reload: () => config.reload(),
    close: closeAll,
  };
}

const archive: WriteArchive = (folder, name, pages) => writeRecordFile(join(folder, name), pages);

/** Asked again while it is under way, it runs once more afterwards. */
function coalesced(work: () => Promise<void>, onError: (cause: Error) => void): () => void {
  let isRunning = false;
  let isWanted = false;
  const run = async () => {
    isRunning = true;
    while (isWanted) {
      isWanted = false;
      await work().catch(onError);
    }
    isRunning = false;
  };
  return () => {
    isWanted = true;
    if (!isRunning) void run();
  };
}

function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

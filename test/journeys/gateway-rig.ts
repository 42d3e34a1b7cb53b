import { GuardedMediaFetcher } from '../../src/adapters/egress/media-fetcher.ts';
import { createMemoryLimiter } from '../../src/adapters/memory/limiter.ts';
import { memoryResponseCache } from '../../src/adapters/memory/response-cache.ts';
import { openOutside } from '../../src/adapters/outside.ts';
import { socketTransport } from '../../src/adapters/socket-transport.ts';
import { systemChance, systemClock } from '../../src/adapters/system-clock.ts';
import { undiciTransport } from '../../src/adapters/undici-transport.ts';
import { createDescribeReply } from '../../src/compat/litellm/response-headers.ts';
import { bundledCatalogue } from '../../src/config/catalogue.ts';
import { renderDiagnostics } from '../../src/config/diagnostic.ts';
import { loadConfigText } from '../../src/config/load.ts';
import { ownRoutings } from '../../src/config/own-routing.ts';
import { buildSnapshot } from '../../src/config/snapshot.ts';
import type { DispatchNote, Ledger } from '../../src/core/ports.ts';
import type { RequestRecord } from '../../src/core/request-record.ts';
import type { Snapshot } from '../../src/core/route.ts';
import { Secret } from '../../src/core/secret.ts';
import { batchDesks } from '../../src/dialects/batch-desks/index.ts';
import { dialects } from '../../src/dialects/index.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { AnswerIds } from '../../src/gateway/kept/answer-ids.ts';
import { BackgroundWork } from '../../src/gateway/kept/background.ts';
import { serve } from '../../src/gateway/pipeline.ts';
import { createHealth } from '../../src/gateway/routing/health.ts';
import { ClientSecrets } from '../../src/gateway/session/client-secrets.ts';
import { type HttpServer, openHttpServer } from '../../src/http/server.ts';
import { providerDirectory } from '../../src/providers/index.ts';

/** A ledger that holds everything and writes down what it was told. */
export interface NotingLedger extends Ledger {
  readonly notes: DispatchNote[];
  readonly extensions: number[];
  /** What `extend` answers. */
  extends: boolean;
}

export interface GatewayRig {
  readonly url: string;
  readonly gateway: Gateway;
  readonly server: HttpServer;
  readonly ledger: NotingLedger;
  /** One per finished request, in order of their end. */
  readonly records: RequestRecord[];
  readonly logged: string[];
  snapshot: Snapshot;
  post(path: string, body: unknown, more?: RequestInit): Promise<Response>;
  chat(changes?: Record<string, unknown>, more?: RequestInit): Promise<Response>;
  /** Waits until that many requests are recorded. */
  recorded(count: number): Promise<RequestRecord[]>;
  close(): Promise<void>;
}

export const masterKey = 'sk-rig-master-key';

/** A whole gateway over real sockets, with the configuration given as YAML and a ledger that only takes notes. */
export async function startGatewayRig(config: string, environment: Record<string, string> = {}): Promise<GatewayRig> {
  const clock = systemClock();
  const snapshot = snapshotOf(config, environment);
  const records: RequestRecord[] = [];
  const logged: string[] = [];
  const log = (message: string, fields?: object): void => {
    logged.push(`${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? value.stack : value))}`);
  };
  const ledger = notingLedger(records);
  const transport = undiciTransport();
  const gateway: Gateway = {
    clock,
    chance: systemChance,
    transport,
    sockets: socketTransport(),
    outside: openOutside(transport, clock),
    media: new GuardedMediaFetcher(),
    ledger,
    limiter: createMemoryLimiter(clock),
    cache: memoryResponseCache(snapshot.settings.cache?.bytesMax ?? 1_000_000, clock),
    principals: {
      find: () => undefined,
      endUser: () => ({ blocked: false, budgets: [], rateLimits: [] }),
      tag: () => ({ budgets: [], rateLimits: [] }),
      invalidate: () => undefined,
    },
    idempotency: null,
    tokens: { count: async (text) => ({ tokens: Math.ceil(text.length / 4) }) },
    kept: null,
    clientSecrets: new ClientSecrets(Buffer.alloc(32, 7)),
    answerIds: new AnswerIds(Buffer.from('a key for tests')),
    background: new BackgroundWork(),
    batches: null,
    batchDesks,
    dialects,
    health: createHealth(clock),
    sinks: [],
    tracing: { begin: () => null },
    log: { debug() {}, info() {}, warn: log, error: log },
    describeReply: createDescribeReply('0.0.0'),
    suspended: new Set(),
    ownRouting: ownRoutings(),
    snapshot: () => rig.snapshot,
  };
  const server = await openHttpServer(gateway, { host: '127.0.0.1', port: 0, serve });
  const url = `http://127.0.0.1:${server.port}`;
  const rig: GatewayRig = {
    url,
    gateway,
    server,
    ledger,
    records,
    logged,
    snapshot,
    post: (path, body, more = {}) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...more,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${masterKey}`, ...more.headers },
      }),
    chat: (changes = {}, more = {}) =>
      rig.post(
        '/v1/chat/completions',
        { model: 'm', messages: [{ role: 'user', content: 'Hello' }], ...changes },
        more,
      ),
    recorded: async (count) => {
      for (let waited = 0; records.length < count && waited < 5_000; waited += 5) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      if (records.length < count) throw new Error(`${records.length} of ${count} requests were recorded`);
      return records;
    },
    close: async () => {
      await server.close();
      await transport.close();
    },
  };
  return rig;
}

export function snapshotOf(config: string, environment: Record<string, string> = {}): Snapshot {
  const { config: loaded, diagnostics } = loadConfigText(config, 'config.yaml', environment);
  if (loaded === undefined) throw new Error(renderDiagnostics(diagnostics).join('\n'));
  const catalogue = bundledCatalogue(Date.UTC(2026, 10, 1));
  const built = buildSnapshot({
    config: loaded,
    directory: providerDirectory,
    catalogue,
    masterKey: new Secret(masterKey),
    version: 1,
  });
  return built.snapshot;
}

function notingLedger(records: RequestRecord[]): NotingLedger {
  const ledger: NotingLedger = {
    notes: [],
    extensions: [],
    extends: true,
    reserve: (requestId, _rules, bound) => ({ requestId, bound }),
    extend: (_reservation, extra) => {
      ledger.extensions.push(extra);
      return ledger.extends;
    },
    attach: (_reservation, _rules, amount) => ({ bound: amount }),
    detach: () => undefined,
    dispatched: (_reservation, note) => {
      ledger.notes.push(note);
      return undefined;
    },
    settle: (_reservation, record) => void records.push(record),
    record: (record) => void records.push(record),
    balance: () => ({ spent: 0, held: 0, resetAt: null }),
    reread: async () => undefined,
    flush: async () => undefined,
    close: async () => undefined,
  };
  return ledger;
}

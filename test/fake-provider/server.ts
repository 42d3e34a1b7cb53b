import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { CloudBatches } from './cloud-batches.ts';
import { answerControl } from './control.ts';
import { DeliveryEnded } from './delivery.ts';
import { answer, refuse } from './exchange.ts';
import { Invoice, type InvoiceEntry } from './invoice.ts';
import { isRecord, parseJson } from './json.ts';
import { type Answered, KeptBatches } from './kept-batches.ts';
import { KeptResponses } from './kept-responses.ts';
import { modelList } from './models.ts';
import { type FakeOperation, operationFor, operations } from './operations.ts';
import { Playbook, type ScriptSource } from './playbook.ts';
import { nowMs, type RecordedRequest } from './record.ts';
import { refusalOf } from './strictness.ts';

export interface FakeProviderOptions {
  /** 0 (default) takes a free one. */
  port?: number;
  /** When set, any other key is answered 401. Read from `authorization`, `x-api-key` and `api-key`. */
  apiKey?: string;
  models?: readonly string[];
  /** Refuse what the real provider refuses: unknown fields, tool results that answer nothing (Anthropic). */
  strict?: boolean;
  default?: ScriptSource;
  /** File to which every dispatch and every bill is appended as a JSON line. */
  invoiceFile?: string;
  /** Idle keep-alive connections are closed after this long, without having been announced. */
  closeIdleAfterMs?: number;
  /** Has batch APIs. */
  batches?: boolean;
  /** Connections are closed after this many requests. */
  requestsPerConnection?: number;
}

export interface FakeProvider {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string;
  readonly port: number;
  /** Every request except those to the control path, in order of arrival. */
  readonly requests: readonly RecordedRequest[];
  readonly invoice: readonly InvoiceEntry[];
  readonly batches: KeptBatches;
  readonly cloudBatches: CloudBatches;
  /** Scripts for the next requests that ask for an answer (not for model lists), in order. */
  enqueue(...sources: ScriptSource[]): void;
  /** What a request gets when the queue is empty and its model has no script of its own. */
  setDefault(source: ScriptSource): void;
  setForModel(model: string, source: ScriptSource | undefined): void;
  /** Forgets scripts and recorded requests; the invoice stays. */
  reset(): void;
  openConnections(): number;
  /** Resolves when at least this many requests were received; rejects after `timeoutMs` (5,000). */
  waitForRequests(count: number, timeoutMs?: number): Promise<readonly RecordedRequest[]>;
  /** Refuses connections and resets those that are open, until `up`, which takes the same port again. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

/** A real HTTP server on 127.0.0.1 that speaks OpenAI's and Anthropic's wire formats, as well or as badly as its scripts say. */
export async function startFakeProvider(options: FakeProviderOptions = {}): Promise<FakeProvider> {
  const playbook = new Playbook();
  if (options.default !== undefined) playbook.setDefault(options.default);
  const invoice = new Invoice(options.invoiceFile);
  const keptResponses = new KeptResponses();
  const batches = new KeptBatches((request, model) => playbook.next(request, model));
  const cloudBatches = new CloudBatches((request, model) => playbook.next(request, model));
  const requests: RecordedRequest[] = [];
  const sockets = new Map<Socket, number>();
  const serialPrefix = nowMs().toString(36).replace('.', '').slice(-6);
  let connectionCount = 0;
  let serialCount = 0;

  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 });
  server.maxRequestsPerSocket = options.requestsPerConnection ?? 0;
  server.on('connection', (socket) => {
    sockets.set(socket, connectionCount);
    connectionCount += 1;
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('request', (message, response) => {
    void respond(message, response).catch((error: unknown) => {
      // A fault in the fake itself must fail the test loudly, never look like a provider's fault.
      queueMicrotask(() => {
        throw error;
      });
    });
  });

  async function respond(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await wholeBody(message);
    if (body === undefined) return;
    const url = new URL(message.url ?? '/', 'http://fake');
    if (url.pathname.startsWith('/_fake/')) {
      const [method, query] = [message.method ?? '', url.searchParams];
      answerControl({ method, path: url.pathname, query, body, response, playbook, invoice, requests });
      return;
    }
    const callerLeft = new AbortController();
    const recorded = record(message, response, url, body, callerLeft);
    closeWhenIdle(message.socket, response);
    try {
      await route(recorded, response, callerLeft.signal);
    } catch (error) {
      if (!(error instanceof DeliveryEnded)) throw error;
    }
  }

  function record(
    message: IncomingMessage,
    response: ServerResponse,
    url: URL,
    body: Buffer,
    callerLeft: AbortController,
  ): RecordedRequest {
    const ended = Promise.withResolvers<void>();
    const recorded: RecordedRequest = {
      index: requests.length,
      method: message.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: message.headers,
      rawHeaders: message.rawHeaders,
      connection: sockets.get(message.socket) ?? -1,
      body,
      json: parseJson(body.toString()),
      receivedAtMs: nowMs(),
      eventsSent: 0,
      bytesSent: 0,
      ended: ended.promise,
    };
    requests.push(recorded);
    response.on('close', () => {
      if (recorded.finishedAtMs === undefined) {
        recorded.abortedAtMs = nowMs();
        callerLeft.abort();
      }
      // The bill is written by then, too: what waits on the signal runs before this.
      setImmediate(ended.resolve);
    });
    return recorded;
  }

  async function route(request: RecordedRequest, response: ServerResponse, callerLeft: AbortSignal): Promise<void> {
    const operation = operationFor(request.path);
    const isAnthropic = request.headers['anthropic-version'] !== undefined;
    const spoken: FakeOperation = operation ?? operations.find((one) => (one.family === 'anthropic') === isAnthropic)!;
    const place = { operation: spoken, request, response, callerLeft };
    if (options.apiKey !== undefined && keyOf(request) !== options.apiKey) {
      return await refuse(place, 401, { message: 'Incorrect API key provided.', code: 'invalid_api_key' });
    }
    if (request.method === 'GET' && request.path.endsWith('/models')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(modelList(options.models ?? ['fake-model'], isAnthropic)));
      request.status = 200;
      request.finishedAtMs = nowMs();
      return;
    }
    const kept: Answered | undefined =
      (options.batches ? (cloudBatches.answer(request) ?? batches.answer(request)) : undefined) ??
      keptResponses.answer(request);
    if (kept !== undefined) {
      if (kept.isBroken === true) {
        response.destroy();
        return;
      }
      const length = kept.announcedBytes == null ? {} : { 'content-length': kept.announcedBytes };
      response.writeHead(kept.status, { 'content-type': 'application/json', ...length });
      if (kept.announcedBytes != null) {
        response.write(kept.text ?? '');
        return;
      }
      response.end(kept.text ?? JSON.stringify(kept.body));
      request.status = kept.status;
      request.finishedAtMs = nowMs();
      return;
    }
    if (operation === undefined || request.method !== 'POST') {
      return await refuse(place, 404, { message: `Invalid URL (${request.method} ${request.path})` });
    }
    const refusal =
      refusalOf(operation, request.headers, request.json, options.strict === true) ??
      keptResponses.refusal(request.json);
    if (refusal !== undefined) return await refuse(place, 400, refusal);
    const model = modelOf(request);
    serialCount += 1;
    const serial = `${serialPrefix}${serialCount.toString(36).padStart(5, '0')}`;
    await answer({ ...place, script: playbook.next(request, model), model, serial, invoice, keptResponses });
  }

  function closeWhenIdle(socket: Socket, response: ServerResponse): void {
    const { closeIdleAfterMs } = options;
    if (closeIdleAfterMs === undefined) return;
    const seen = requests.length;
    const connection = sockets.get(socket);
    response.on('finish', () => {
      setTimeout(() => {
        const isReused = requests.slice(seen).some((later) => later.connection === connection);
        // destroy, not end: what arrives from then on is answered by a reset, as from a server that is gone.
        if (!isReused) socket.destroy();
      }, closeIdleAfterMs);
    });
  }

  const listen = async (port: number): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  };
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets.keys()) socket.resetAndDestroy();
    await closed;
  };

  await listen(options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    batches,
    cloudBatches,
    invoice: invoice.entries,
    enqueue: (...sources) => playbook.enqueue(sources),
    setDefault: (source) => playbook.setDefault(source),
    setForModel: (model, source) => playbook.setForModel(model, source),
    reset: () => {
      playbook.clear();
      requests.length = 0;
    },
    openConnections: () => sockets.size,
    waitForRequests: async (count, timeoutMs = 5_000) => {
      const deadline = nowMs() + timeoutMs;
      while (requests.length < count) {
        if (nowMs() > deadline) throw new Error(`${requests.length} of ${count} requests after ${timeoutMs} ms`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      return requests;
    },
    down: stop,
    up: () => listen(port),
    close: async () => {
      await stop();
      invoice.close();
    },
  };
}

/** Undefined where the caller left before its request was complete. */
async function wholeBody(message: IncomingMessage): Promise<Buffer | undefined> {
  const pieces: Buffer[] = [];
  try {
    for await (const piece of message) pieces.push(piece as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(pieces);
}

function keyOf(request: RecordedRequest): string | undefined {
  const {
    authorization,
    'x-api-key': anthropicKey,
    'api-key': azureKey,
    'x-goog-api-key': googleKey,
  } = request.headers;
  const key = authorization?.replace(/^Bearer /i, '') ?? anthropicKey ?? azureKey ?? googleKey;
  return Array.isArray(key) ? key[0] : key;
}

/** The body's model, or the one in the path where the address names it (Azure, Google, Amazon). */
function modelOf(request: RecordedRequest): string {
  const named = isRecord(request.json) ? request.json.model : undefined;
  const inPath =
    /\/deployments\/([^/]+)\//.exec(request.path) ??
    /\/models\/([^/]+):\w+$/.exec(request.path) ??
    /\/model\/([^/]+)\//.exec(request.path);
  return typeof named === 'string' ? named : decodeURIComponent(inPath?.[1] ?? 'unknown-model');
}

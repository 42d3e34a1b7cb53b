import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isJsonObject, type JsonObject } from '../core/json.ts';
import type { Clock } from '../core/ports.ts';
import { demoAnswer, lastText } from './answer.ts';
import { demoConfig } from './config.ts';
import { type DemoModel, demoModels, selfHostedModel } from './models.ts';
import { paceTokens } from './pace.ts';
import { embeddings, streamEvents, wholeAnswer } from './wire.ts';

// Not imported, for the reason that http/node-http.ts gives.
const { createServer } = process.getBuiltinModule('node:http');

const bodyBytesMax = 10 * 1024 * 1024;

export interface DemoUpstreams {
  /** `http://127.0.0.1:PORT`; each model is served under `/NAME/v1`. */
  readonly url: string;
  /** The built-in demo config, in the format of a config file. */
  readonly config: string;
  /** From now on the model answers 503, as a server does whose model is not loaded. */
  down(model: string): void;
  up(model: string): void;
  close(): Promise<void>;
}

/**
 * Simulates a self-hosted and a cloud model on loopback, with their timing, so that the gateway can be tried with
 * nothing at hand. `POST /demo/NAME/down` and `/up` (or the messages `/down` and `/up`) switch models off and on.
 */
export async function startDemoUpstreams(outside: { clock: Clock; port?: number }): Promise<DemoUpstreams> {
  const downModels = new Set<string>();
  let answerCount = 0;

  const server = createServer((request, response) => {
    const [first = '', ...rest] = (request.url ?? '/').split('?')[0]!.split('/').slice(1);
    const model = demoModels.find((one) => one.name === (first === 'demo' ? rest[0] : first));
    if (model === undefined) return void sendError(response, 404, `No model is served under /${first}.`);
    if (first === 'demo') return void switchModel(model, `${request.method} ${rest[1]}`, response);
    if (downModels.has(model.name)) {
      return void sendError(
        response,
        503,
        `${model.name} is switched off; POST /demo/${model.name}/up brings it back.`,
      );
    }
    if (request.method === 'GET') return void sendJson(response, 200, modelList(model));
    readObject(request).then(
      ({ body, bytes }) => answer(model, rest.join('/'), body, bytes, response),
      () => sendError(response, 400, 'The body must be a JSON object of at most 10 MiB.'),
    );
  });

  function switchModel(model: DemoModel, action: string, response: ServerResponse): void {
    if (action === 'POST down') downModels.add(model.name);
    else if (action === 'POST up') downModels.delete(model.name);
    else return void sendError(response, 404, `Try POST /demo/${model.name}/down or /up.`);
    sendJson(response, 200, { model: model.name, up: !downModels.has(model.name) });
  }

  function answer(model: DemoModel, path: string, body: JsonObject, bytes: number, response: ServerResponse): void {
    answerCount += 1;
    const created = Math.floor(outside.clock.now() / 1000);
    const envelope = { id: `demo-${answerCount}`, created, model: String(body.model ?? model.servedName) };
    if (path === 'v1/embeddings') {
      return void sendJson(response, 200, embeddings(envelope, body.input, Math.ceil(bytes / 4)));
    }
    const isChat = path === 'v1/chat/completions';
    if (!isChat && path !== 'v1/completions') return void sendError(response, 404, `Not found: /${path}`);
    const word = lastText(body);
    if (word === '/down') downModels.add(selfHostedModel.name);
    if (word === '/up') downModels.delete(selfHostedModel.name);
    const said = demoAnswer(model, body, bytes);
    const count = said.tokens.length;
    const options = body.stream_options;
    const wish = { isChat, includeUsage: isJsonObject(options) && options.include_usage === true };
    const isStream = body.stream === true;
    if (isStream) {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
      response.flushHeaders();
    }
    const pace = paceTokens(outside.clock, model, count, (from, to) => {
      if (isStream) response.write(streamEvents(envelope, said, { from, to }, wish));
      if (to < count) return;
      if (isStream) response.end();
      else sendJson(response, 200, wholeAnswer(envelope, said, isChat));
    });
    response.on('close', () => pace.cancel());
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(outside.port ?? 0, '127.0.0.1', resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    config: demoConfig(url),
    down: (model) => void downModels.add(model),
    up: (model) => void downModels.delete(model),
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Throws where the body is not a JSON object, is too long, or is cut short. */
async function readObject(request: IncomingMessage): Promise<{ body: JsonObject; bytes: number }> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bodyBytesMax) throw new RangeError('body too long');
    pieces.push(piece);
  }
  const body: unknown = JSON.parse(Buffer.concat(pieces).toString());
  if (!isJsonObject(body)) throw new TypeError('not an object');
  return { body, bytes };
}

function modelList(model: DemoModel): JsonObject {
  return {
    object: 'list',
    data: [{ id: model.servedName, object: 'model', created: 1_767_225_600, owned_by: 'demo' }],
  };
}

function sendError(response: ServerResponse, status: number, message: string): void {
  const type = status >= 500 ? 'server_error' : 'invalid_request_error';
  sendJson(response, status, { error: { message, type, param: null, code: null } });
}

function sendJson(response: ServerResponse, status: number, value: JsonObject): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

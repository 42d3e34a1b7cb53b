import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as a media provider saw it. */
export interface MediaRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** Fields of a form; files as `name:bytes`. */
  readonly form: Readonly<Record<string, string>>;
}

export interface MediaAnswer {
  readonly status?: number;
  readonly type?: string;
  /** Written one by one. */
  readonly chunks: readonly (string | Uint8Array)[];
  /** Breaks the connection behind the chunks. */
  readonly breaks?: boolean;
  /** Answers before the body is read. */
  readonly early?: boolean;
  /** Not answered before. */
  readonly after?: Promise<unknown>;
  /** Never ends, until its caller leaves. */
  readonly hangs?: boolean;
}

export interface MediaServer {
  readonly url: string;
  readonly requests: MediaRequest[];
  /** Bytes of the body that is being read now. */
  bytesSeen: number;
  /** Callers that left while their answer hung. */
  abandoned: number;
  /** Answers of the next requests, in order; the last one stays. */
  answers: MediaAnswer[];
  close(): Promise<void>;
}

/** A provider of images and sound that answers what it is told to and keeps what it was sent. */
export async function startMediaServer(): Promise<MediaServer> {
  const server: Server = createServer(async (request, response) => {
    const answer = rig.answers.length > 1 ? rig.answers.shift()! : rig.answers[0]!;
    const chunks: Buffer[] = [];
    rig.bytesSeen = 0;
    if (!answer.early) {
      try {
        for await (const chunk of request) {
          chunks.push(chunk as Buffer);
          rig.bytesSeen += (chunk as Buffer).length;
        }
      } catch {
        return;
      }
    }
    const body = Buffer.concat(chunks);
    rig.requests.push({
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body,
      form: await formOf(request, body),
    });
    await answer.after;
    response.writeHead(answer.status ?? 200, { 'content-type': answer.type ?? 'application/json' });
    for (const chunk of answer.chunks) {
      response.write(chunk);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    if (answer.hangs) response.on('close', () => (rig.abandoned += 1));
    else if (answer.breaks) response.destroy();
    else response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const rig: MediaServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    bytesSeen: 0,
    abandoned: 0,
    answers: [{ chunks: ['{}'] }],
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return rig;
}

/** Read by the platform's own reader, not by ours. */
async function formOf(request: IncomingMessage, body: Buffer): Promise<Record<string, string>> {
  const type = request.headers['content-type'] ?? '';
  if (!type.startsWith('multipart/')) return {};
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  const fields: Record<string, string> = {};
  for (const [name, value] of form) {
    const text = typeof value === 'string' ? value : `${value.name}:${value.size}`;
    fields[name] = fields[name] === undefined ? text : `${fields[name]},${text}`;
  }
  return fields;
}

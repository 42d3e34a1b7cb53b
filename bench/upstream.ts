import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

// The bare upstream: a provider that costs next to nothing. Answers a chat completion at once, or streams one of
// `chunks` pieces, a piece of every running stream every 2 ms.

const chunks = 100;
const tickMs = 2;

const usage = { prompt_tokens: 60, completion_tokens: 90, total_tokens: 150 };
const envelope = { id: 'chatcmpl-bench', created: 1_767_225_600, model: 'bench-model' };
const text =
  'A gateway keeps one address in front of many models, and a record of every request that went through it. ';
const whole = Buffer.from(
  JSON.stringify({
    ...envelope,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: text.repeat(4) }, finish_reason: 'stop' }],
    usage,
  }),
);
const event = (choices: object[], more: object = {}): string =>
  `data: ${JSON.stringify({ ...envelope, object: 'chat.completion.chunk', choices, ...more })}\n\n`;
const piece = Buffer.from(event([{ index: 0, delta: { content: ' gateway' }, finish_reason: null }]));
const opening = Buffer.from(event([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }]));
const ending = Buffer.from(
  `${event([{ index: 0, delta: {}, finish_reason: 'stop' }])}${event([], { usage })}data: [DONE]\n\n`,
);

const streams = new Map<ServerResponse, number>();
setInterval(() => {
  for (const [response, sent] of streams) {
    if (sent < chunks) {
      response.write(sent === 0 ? opening : piece);
      streams.set(response, sent + 1);
    } else {
      response.end(ending);
      streams.delete(response);
    }
  }
}, tickMs);

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (bytes: Buffer) => pieces.push(bytes));
  request.on('end', () => {
    const isStream = Buffer.concat(pieces).includes('"stream":true');
    if (isStream) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      streams.set(response, 0);
      response.on('close', () => streams.delete(response));
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': whole.length });
    response.end(whole);
  });
});
server.keepAliveTimeout = 120_000;
// A thousand connections may come at once.
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
});
process.stdin.on('end', () => process.exit(0)).resume();

import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { percentile, seeded } from '../chaos/row.ts';
import { streamOf, wholeModel } from './restart-lengths.ts';

// The callers of the rolling restarts, in a thread of their own: an open loop, paced by time whatever the answers take. They keep their
// connections and never repeat a request. It goes on until it is told to stop and has made `requestsMin`, and then waits for what is under way.

export interface LoadSpec {
  readonly url: string;
  readonly key: string;
  readonly perSecond: number;
  readonly requestsMin: number;
  readonly streamMinMs: number;
  readonly streamMaxMs: number;
}

export interface LoadSeen {
  readonly requests: number;
  readonly seconds: number;
  readonly failed: number;
  /** The first of them, in words. */
  readonly failures: readonly string[];
  /** 99 of 100 answers in one piece took no longer; the provider takes 5 to 185 ms. */
  readonly wholeP99Ms: number;
  readonly streams: number;
  readonly shortestStreamMs: number;
  readonly longestStreamMs: number;
  readonly streamsAtOnceMax: number;
  readonly pieces: number;
  readonly connections: number;
  /** How late the latest request was sent. */
  readonly behindMs: number;
}

const failuresKept = 10;
const spec = workerData as LoadSpec;
const agent = new Agent({ keepAlive: true, maxFreeSockets: 10_000 });
const chance = seeded(1);
const failures: string[] = [];
const wholeMs: number[] = [];
let [failed, streams, streamsNow, streamsAtOnceMax, pieces, behindMs] = [0, 0, 0, 0, 0, 0];
let [shortestStreamMs, longestStreamMs] = [Number.POSITIVE_INFINITY, 0];
let isOver = false;
parentPort!.once('message', () => {
  isOver = true;
});

const opened = new Set<unknown>();
const underWay = new Set<Promise<void>>();
const startedAt = performance.now();
let requests = 0;
for (; !isOver || requests < spec.requestsMin; requests++) {
  const dueAt = startedAt + (requests * 1_000) / spec.perSecond;
  const leftMs = dueAt - performance.now();
  if (leftMs > 0) await sleep(leftMs);
  else behindMs = Math.max(behindMs, -leftMs);
  const one = (requests % 2 === 0 ? whole() : stream()).catch((error) => fails(String(error)));
  underWay.add(one);
  void one.then(() => underWay.delete(one));
}
const seconds = (performance.now() - startedAt) / 1_000;
await Promise.all(underWay);
agent.destroy();
parentPort!.postMessage({
  ...{ requests, seconds, failed, failures, streams, shortestStreamMs, longestStreamMs },
  ...{ streamsAtOnceMax, pieces, wholeP99Ms: percentile(wholeMs, 0.99), connections: opened.size, behindMs },
} satisfies LoadSeen);

function fails(why: string): void {
  failed += 1;
  if (failures.length < failuresKept) failures.push(why);
}

async function whole(): Promise<void> {
  const sentAt = performance.now();
  const { status, text } = await post({ model: wholeModel, max_tokens: 20 });
  wholeMs.push(performance.now() - sentAt);
  if (status !== 200 || !text.includes('"usage"')) fails(`${status} ${text.slice(-300)}`);
}

async function stream(): Promise<void> {
  const { model, words } = streamOf(spec.streamMinMs + chance() * (spec.streamMaxMs - spec.streamMinMs));
  streams += 1;
  streamsNow += 1;
  streamsAtOnceMax = Math.max(streamsAtOnceMax, streamsNow);
  const sentAt = performance.now();
  try {
    const { status, text } = await post({ model, max_tokens: words, stream: true });
    const tookMs = performance.now() - sentAt;
    shortestStreamMs = Math.min(shortestStreamMs, tookMs);
    longestStreamMs = Math.max(longestStreamMs, tookMs);
    const wordsSeen = text.split('"content":" word"').length - 1;
    const isWhole = text.endsWith('data: [DONE]\n\n') && !text.includes('"error"') && wordsSeen === words;
    if (status !== 200 || !isWhole) fails(`${status}, ${wordsSeen} of ${words} words, … ${text.slice(-300)}`);
  } finally {
    streamsNow -= 1;
  }
}

/** One request on a kept connection, without a second try. Resolves to the whole answer. */
function post(body: object): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${spec.key}`, 'content-type': 'application/json' };
    const outgoing = request(`${spec.url}/v1/chat/completions`, { method: 'POST', agent, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        pieces += 1;
        text += piece;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on('error', reject);
    });
    outgoing.on('socket', (socket) => opened.add(socket));
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ ...body, messages: [{ role: 'user', content: 'Go on' }] }));
  });
}

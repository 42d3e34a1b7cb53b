import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SinkEntry } from '../../src/adapters/sinks/entry.ts';
import { openDestination } from '../../src/adapters/sinks/open-destination.ts';
import { SinkQueue } from '../../src/adapters/sinks/queue.ts';
import { systemClock } from '../../src/adapters/system-clock.ts';
import { undiciTransport } from '../../src/adapters/undici-transport.ts';
import type { Clock, Log } from '../../src/core/ports.ts';
import type { DestinationSetting } from '../../src/core/sink-settings.ts';
import { dialects } from '../../src/dialects/index.ts';
import { silentLog } from '../builders.ts';
import { type Collected, type Collector, startCollector } from '../collector/collector.ts';
import { requestRecord } from './records.ts';

export interface SinkCase {
  readonly name: string;
  setting(url: string): DestinationSetting;
  /** Ids of the requests in one call. */
  ids(call: Collected): string[];
  /** Path of every call. */
  readonly path: RegExp;
}

const program = {
  version: '0.0.0',
  instance: 'test',
  conventionName: (id: string) => (id === 'acme' ? 'acme.ai' : id),
};
/** Twenty times as fast, so that pauses between tries take no time. */
const hurried = (): Clock => {
  const clock = systemClock();
  return {
    now: () => clock.now(),
    tick: () => clock.tick(),
    setTimer: (ms, done) => clock.setTimer(ms / 20, done),
  };
};

export const uuid = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;

export function sinkEntry(number: number, changes: Partial<SinkEntry> = {}): SinkEntry {
  const record = requestRecord(uuid(number), {
    keyAlias: 'team-a',
    keyId: 'a'.repeat(64),
    attempts: [
      {
        deploymentId: 'deployment-1',
        group: 'model-a',
        provider: 'acme',
        model: 'model-a-1',
        startedAt: 1_700_000_000_010,
        durationMs: 900,
        status: 200,
        result: 'success',
        ambiguous: false,
        charged: 0,
      },
    ],
  });
  const { startedAt, endedAt } = record;
  return {
    record,
    trace: null,
    teamAlias: 'Team A',
    userEmail: null,
    callId: null,
    parameters: {},
    times: {
      arrived: startedAt,
      received: startedAt,
      identified: null,
      planned: null,
      admitted: null,
      cacheAsked: null,
      cacheTold: null,
      ended: endedAt,
    },
    providerMs: 900,
    priced: null,
    content: null,
    ...changes,
  };
}

export const said = 'What the caller said';
export const answered = 'What the model answered';

export function content(): SinkEntry['content'] {
  return {
    dialect: dialects.get('openai-chat')!,
    request: { model: 'model-a', messages: [{ role: 'user', content: said }] },
    response: JSON.stringify({
      id: 'c1',
      object: 'chat.completion',
      created: 1,
      model: 'model-a-1',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: answered } }],
      usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    }),
  };
}

/** What every sink keeps to, whatever it speaks. */
export function sinkContract(one: SinkCase): void {
  describe(`the sink ${one.name}`, () => {
    let collector: Collector;
    let queue: SinkQueue;
    let logged: string[];
    const transport = undiciTransport();
    const open = (url: string, bytesMax = 32 * 1024 * 1024): SinkQueue => {
      const clock = hurried();
      logged = [];
      const note = (message: string, fields?: object) => void logged.push(`${message} ${JSON.stringify(fields)}`);
      const log: Log = { ...silentLog, warn: note, error: note };
      const destination = openDestination(one.setting(url), { transport, clock }, program);
      return new SinkQueue({ name: one.name, destination, clock, log, bytesMax });
    };
    const told = () => collector.calls.flatMap((call) => one.ids(call));
    const take = (from: number, to: number, changes: Partial<SinkEntry> = {}) => {
      for (let number = from; number < to; number++) queue.take(sinkEntry(number, changes));
    };
    const wanted = (count: number) => Array.from({ length: count }, (_, number) => uuid(number));

    beforeEach(async () => {
      collector = await startCollector();
      queue = open(collector.url);
    });
    afterEach(async () => {
      await queue.close(100);
      await collector.close();
    });

    it('delivers every entry once, in the form of its service', async () => {
      take(0, 40, { content: content() });
      await expect.poll(() => told().length).toBe(40);
      expect(told().sort()).toEqual(wanted(40));
      for (const call of collector.calls) expect(call.path).toMatch(one.path);
      await expect.poll(() => queue.waitingBytes).toBe(0);
      expect(queue.counts.delivered).toBe(queue.counts.produced);
      expect(queue.counts.dropped).toBe(0);
    });

    it('loses nothing while the service fails, is slow, or breaks off', async () => {
      const moods = [
        { kind: 'status', status: 503 },
        { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
        { kind: 'reset' },
        { kind: 'slow', ms: 50 },
      ] as const;
      collector.mood = (call) => moods[call] ?? { kind: 'well' };
      take(0, 20);
      await expect.poll(() => new Set(told()).size, { timeout: 10_000 }).toBe(20);
      expect(told().sort()).toEqual(wanted(20));
      await expect.poll(() => queue.waitingBytes).toBe(0);
      expect(queue.counts.delivered).toBe(queue.counts.produced);
      expect(queue.counts.failures).toBe(3);
      expect(logged.filter((line) => line.includes('is kept and sent again'))).toHaveLength(1);
    });

    it('keeps what came before the service was there', async () => {
      const { port } = collector;
      await collector.close();
      take(0, 15);
      await expect.poll(() => queue.isFailing, { timeout: 5_000 }).toBe(true);
      take(15, 30);
      collector = await startCollector(port);
      await expect.poll(() => told().length, { timeout: 10_000 }).toBe(30);
      expect(told().sort()).toEqual(wanted(30));
      await expect.poll(() => queue.waitingBytes).toBe(0);
      expect(queue.counts.delivered).toBe(queue.counts.produced);
    });

    it('drops what the service refuses for good, and counts it', async () => {
      collector.mood = () => ({ kind: 'status', status: 401 });
      take(0, 5);
      const { counts } = queue;
      await expect
        .poll(() => counts.produced >= 5 && counts.dropped === counts.produced, { timeout: 5_000 })
        .toBe(true);
      expect(queue.counts.delivered).toBe(0);
      expect(queue.waitingBytes).toBe(0);
      expect(logged.join('\n')).toContain('answered 401');
    });

    it('holds no more than its buffer, and says exactly what it dropped', async () => {
      collector.mood = () => ({ kind: 'silent' });
      await queue.close(10);
      const bytesMax = 20_000;
      queue = open(collector.url, bytesMax);
      take(0, 500, { content: content() });
      await expect.poll(() => queue.counts.dropped, { timeout: 5_000 }).toBeGreaterThan(0);
      expect(queue.waitingBytes).toBeLessThanOrEqual(bytesMax);
      collector.mood = () => ({ kind: 'well' });
      const { counts } = queue;
      await expect
        .poll(() => counts.produced >= 500 && counts.delivered + counts.dropped === counts.produced, {
          timeout: 10_000,
        })
        .toBe(true);
      expect(counts.delivered).toBeGreaterThan(0);
      // What waited longest is what was kept.
      expect(new Set(told()).has(uuid(0))).toBe(true);
      expect(new Set(told()).has(uuid(499))).toBe(false);
    });

    it('takes an entry in no time while the service hangs', () => {
      collector.mood = () => ({ kind: 'silent' });
      const entry = sinkEntry(1);
      const before = performance.now();
      for (let turn = 0; turn < 1_000; turn++) queue.take(entry);
      expect(performance.now() - before).toBeLessThan(50);
    });

    it('tells nothing of what was said where it may not', async () => {
      take(0, 1);
      await expect.poll(() => told().length).toBe(1);
      const wire = collector.calls.map(({ body }) => body.toString('latin1')).join('');
      expect(wire).not.toContain(said);
      expect(wire).not.toContain(answered);
      take(1, 2, { content: content() });
      await expect.poll(() => told().length).toBe(2);
      const more = collector.calls.map(({ body }) => body.toString('latin1')).join('');
      expect(more).toContain(said);
      expect(more).toContain(answered);
    });

    it('delivers what waits when it is closed, and counts what it cannot', async () => {
      take(0, 7);
      await queue.close(5_000);
      expect(told()).toHaveLength(7);
      queue = open(collector.url);
      collector.mood = () => ({ kind: 'silent' });
      take(7, 12);
      await queue.close(400);
      expect(queue.counts.dropped).toBe(queue.counts.produced);
      queue.take(sinkEntry(13));
      expect(queue.counts.dropped).toBe(queue.counts.produced);
    });
  });
}

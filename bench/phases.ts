import type { Generator } from './generator.ts';
import type { LoadResult, LoadSpec } from './load.ts';
import { cpuTime, residentMegabytes } from './proc.ts';
import { quantile } from './statistics.ts';
import type { RunningTarget } from './targets.ts';

export const chunksPerStream = 100;

export interface Plan {
  readonly warmUpRequests: number;
  readonly closedMs: number;
  readonly openMs: number;
  readonly streamMs: number;
  /** Each phase is cut into this many turns, taken by the targets one after the other, so that a slow minute of the machine hurts all alike. */
  readonly turns: number;
  /** Work that a target puts off (rows, spans) is done this long after the last reply, and counts. */
  readonly afterworkMs: number;
  /** Closed-loop requests for the memory curve; 0 leaves it out. */
  readonly longRequests: number;
  /** Also large prompts, few and many connections, and a rate that no single process is meant for. */
  readonly wide: boolean;
}

export interface Figures {
  failures: number;
  firstFailure?: string;
  closedRequestsPerSecond: number;
  cpuMicrosecondsPerRequest: number;
  /** The part of it that is not spent in the kernel, which is what a program can do something about. */
  userMicrosecondsPerRequest: number;
  /** Microseconds by arrival rate per second. */
  open: Record<string, { p50: number; p99: number; cpuMicrosecondsPerRequest: number }>;
  cpuMicrosecondsPerStream: number;
  residentStartMegabytes: number;
  residentEndMegabytes: number;
  /** Of a wide run: CPU by size of the prompt and by number of connections. */
  prompts?: Record<string, number>;
  connections?: Record<string, { cpuMicrosecondsPerRequest: number; requestsPerSecond: number }>;
  /** Resident megabytes at each tenth of the long run. */
  residentCurveMegabytes?: number[];
}

const question = {
  model: 'bench-model',
  max_tokens: 256,
  messages: [
    { role: 'system', content: 'You answer in one paragraph, in plain words, and you never make things up.' },
    {
      role: 'user',
      content: `What does a gateway in front of language models do? ${'Say it for a newcomer. '.repeat(16)}`,
    },
  ],
};
const wholeBody = JSON.stringify(question);
const streamBody = JSON.stringify({ ...question, stream: true });

/** Text that has to be escaped here and there, as prompts do. */
const paragraph = 'All work and no play makes "Jack" a dull boy.\nHe said so – again and again.\n';

function promptOf(kilobytes: number): string {
  const content = paragraph.repeat(Math.ceil((kilobytes * 1024) / Buffer.byteLength(JSON.stringify(paragraph))));
  return JSON.stringify({ ...question, messages: [{ role: 'user', content }] });
}

type Load = Pick<LoadSpec, 'arrival' | 'requestsMax' | 'durationMs'> & {
  readonly stream?: boolean;
  readonly body?: string;
};

interface Measured {
  readonly result: LoadResult;
  /** User and system time. */
  readonly cpuMicroseconds: number;
  readonly userMicroseconds: number;
}

export class Measurement {
  readonly #generator: Generator;
  readonly #plan: Plan;
  readonly #say: (line: string) => void;

  constructor(generator: Generator, plan: Plan, say: (line: string) => void) {
    this.#generator = generator;
    this.#plan = plan;
    this.#say = say;
  }

  async run(targets: readonly RunningTarget[]): Promise<Map<string, Figures>> {
    const plan = this.#plan;
    const figures = new Map(targets.map((target) => [target.name, emptyFigures(target)]));
    const closed = { kind: 'closed', connections: 50 } as const;
    const everyTarget = (load: Load): Promise<Map<string, Measured[]>> => this.#inTurns(targets, figures, load);

    this.#say('warming up');
    // Twice: in the first pause the engine drops some of what it had compiled, once, and makes it again.
    for (const requests of [plan.warmUpRequests, plan.warmUpRequests / 3]) {
      for (const target of targets) {
        await this.#measure(target, figures, { arrival: closed, requestsMax: requests, durationMs: 20_000 });
        const streams = { arrival: closed, requestsMax: requests / 100, durationMs: 5_000, stream: true };
        await this.#measure(target, figures, streams);
      }
    }
    this.#say('closed loop, 50 connections');
    for (const [name, turns] of await everyTarget({
      arrival: closed,
      requestsMax: 1_000_000,
      durationMs: plan.closedMs,
    })) {
      const requests = sum(turns, (turn) => turn.result.requests);
      const entry = figures.get(name)!;
      entry.closedRequestsPerSecond = requests / (sum(turns, (turn) => turn.result.durationMs) / 1000);
      entry.cpuMicrosecondsPerRequest = sum(turns, (turn) => turn.cpuMicroseconds) / requests;
      entry.userMicrosecondsPerRequest = sum(turns, (turn) => turn.userMicroseconds) / requests;
    }
    for (const perSecond of plan.wide ? [100, 1_000, 5_000] : [100, 1_000]) {
      this.#say(`open loop, ${perSecond} requests/s`);
      const arrival = { kind: 'open', perSecond } as const;
      const load = { arrival, requestsMax: 1_000_000, durationMs: plan.openMs };
      for (const [name, turns] of await everyTarget(load)) {
        const latencies = turns.map((turn) => turn.result.latencies);
        figures.get(name)!.open[perSecond] = {
          p50: quantile(latencies, 0.5),
          p99: quantile(latencies, 0.99),
          cpuMicrosecondsPerRequest:
            sum(turns, (turn) => turn.cpuMicroseconds) / sum(turns, (turn) => turn.result.requests),
        };
      }
    }
    this.#say(`streams of ${chunksPerStream} chunks, 50 at a time`);
    const streams = { arrival: closed, requestsMax: 100_000, durationMs: plan.streamMs, stream: true };
    for (const [name, turns] of await everyTarget(streams)) {
      const count = sum(turns, (turn) => turn.result.requests);
      figures.get(name)!.cpuMicrosecondsPerStream = sum(turns, (turn) => turn.cpuMicroseconds) / count;
    }
    if (plan.wide) await this.#widen(figures, everyTarget);
    if (plan.longRequests > 0) await this.#longRun(targets, figures);
    for (const target of targets) figures.get(target.name)!.residentEndMegabytes = residentMegabytes(target.pid);
    return figures;
  }

  async #widen(
    figures: Map<string, Figures>,
    everyTarget: (load: Load) => Promise<Map<string, Measured[]>>,
  ): Promise<void> {
    const durationMs = Math.ceil(this.#plan.closedMs / 2);
    for (const kilobytes of [1, 100, 1_024]) {
      this.#say(`prompts of ${kilobytes} KB, 10 connections`);
      const arrival = { kind: 'closed', connections: 10 } as const;
      const load = { arrival, requestsMax: 1_000_000, durationMs, body: promptOf(kilobytes) };
      for (const [name, turns] of await everyTarget(load)) {
        const entry = figures.get(name)!;
        entry.prompts ??= {};
        entry.prompts[`${kilobytes} KB`] = cpuPerRequest(turns);
      }
    }
    for (const connections of [10, 1_000]) {
      this.#say(`closed loop, ${connections} connections`);
      const arrival = { kind: 'closed', connections } as const;
      for (const [name, turns] of await everyTarget({ arrival, requestsMax: 1_000_000, durationMs })) {
        const entry = figures.get(name)!;
        entry.connections ??= {};
        entry.connections[connections] = {
          cpuMicrosecondsPerRequest: cpuPerRequest(turns),
          requestsPerSecond:
            sum(turns, (turn) => turn.result.requests) / (sum(turns, (turn) => turn.result.durationMs) / 1000),
        };
      }
    }
  }

  async #longRun(targets: readonly RunningTarget[], figures: Map<string, Figures>): Promise<void> {
    const arrival = { kind: 'closed', connections: 50 } as const;
    for (const target of targets) {
      this.#say(`${this.#plan.longRequests} requests to ${target.name}`);
      const curve: number[] = [];
      for (let tenth = 0; tenth < 10; tenth += 1) {
        const requestsMax = Math.ceil(this.#plan.longRequests / 10);
        await this.#measure(target, figures, { arrival, requestsMax, durationMs: 120_000 });
        curve.push(residentMegabytes(target.pid));
      }
      figures.get(target.name)!.residentCurveMegabytes = curve;
    }
  }

  async #inTurns(
    targets: readonly RunningTarget[],
    figures: Map<string, Figures>,
    load: Load,
  ): Promise<Map<string, Measured[]>> {
    const measured = new Map<string, Measured[]>(targets.map((target) => [target.name, []]));
    const durationMs = Math.ceil(load.durationMs / this.#plan.turns);
    for (let turn = 0; turn < this.#plan.turns; turn += 1) {
      for (const target of targets) {
        measured.get(target.name)!.push(await this.#measure(target, figures, { ...load, durationMs }));
      }
    }
    return measured;
  }

  async #measure(target: RunningTarget, figures: Map<string, Figures>, load: Load): Promise<Measured> {
    const before = cpuTime(target.pid);
    const result = await this.#generator.run({
      port: target.port,
      path: '/v1/chat/completions',
      headers: target.headers,
      body: load.body ?? (load.stream ? streamBody : wholeBody),
      arrival: load.arrival,
      requestsMax: load.requestsMax,
      durationMs: load.durationMs,
      ...(load.stream ? { endsWith: 'data: [DONE]\n\n' } : {}),
    });
    await new Promise((resolve) => setTimeout(resolve, this.#plan.afterworkMs));
    const entry = figures.get(target.name)!;
    entry.failures += result.failures;
    if (result.firstFailure !== undefined) entry.firstFailure ??= result.firstFailure;
    const after = cpuTime(target.pid);
    const userMicroseconds = after.user - before.user;
    return { result, userMicroseconds, cpuMicroseconds: userMicroseconds + after.system - before.system };
  }
}

function emptyFigures(target: RunningTarget): Figures {
  return {
    failures: 0,
    closedRequestsPerSecond: Number.NaN,
    cpuMicrosecondsPerRequest: Number.NaN,
    userMicrosecondsPerRequest: Number.NaN,
    open: {},
    cpuMicrosecondsPerStream: Number.NaN,
    residentStartMegabytes: residentMegabytes(target.pid),
    residentEndMegabytes: Number.NaN,
  };
}

function sum(turns: readonly Measured[], of: (turn: Measured) => number): number {
  return turns.reduce((total, turn) => total + of(turn), 0);
}

function cpuPerRequest(turns: readonly Measured[]): number {
  return sum(turns, (turn) => turn.cpuMicroseconds) / sum(turns, (turn) => turn.result.requests);
}

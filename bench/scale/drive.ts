import { Pool } from 'undici';
import { cpuTime } from '../proc.ts';
import { lowerQuartile } from './figures.ts';

const body = JSON.stringify({
  model: 'bench-model',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'How far does this go? '.repeat(4) }],
});

const refusedMax = 200;

export interface Drive {
  /** One or several gateways, which take turns. */
  readonly ports: readonly number[];
  readonly connections: number;
  readonly requests: number;
  /** Of whose processes the time is counted. */
  readonly pids: readonly number[];
  keyOf(request: number): string;
  readonly model?: ((request: number) => string) | undefined;
}

export interface Driven {
  readonly requests: number;
  readonly seconds: number;
  /** Microseconds of processor time for a request, for each of `pids`. */
  readonly cpuMicros: readonly number[];
  readonly latencyMs: number;
}

/** Sends requests in closed loops, each connection its next one when it has its answer. Throws when one is not answered 200. */
export async function drive(plan: Drive): Promise<Driven> {
  const pools = plan.ports.map((port) => new Pool(`http://127.0.0.1:${port}`, { connections: plan.connections }));
  const latencies: number[] = [];
  let next = 0;
  let refused = 0;
  const loop = async (): Promise<void> => {
    for (let request = next++; request < plan.requests; request = next++) {
      const pool = pools[request % pools.length]!;
      const startedAt = performance.now();
      const answer = await pool.request({
        method: 'POST',
        path: '/v1/chat/completions',
        headers: { authorization: `Bearer ${plan.keyOf(request)}`, 'content-type': 'application/json' },
        body: plan.model === undefined ? body : body.replace('bench-model', plan.model(request)),
      });
      const text = await answer.body.text();
      if (answer.statusCode === 503 && refused < refusedMax) {
        // The database was silent for 1.5 s, on a machine that had other work.
        refused += 1;
        await new Promise((resolve) => setTimeout(resolve, 300));
        continue;
      }
      if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}: ${text.slice(0, 400)}`);
      latencies.push(performance.now() - startedAt);
    }
  };
  const before = plan.pids.map(cpuTime);
  const beganAt = performance.now();
  await Promise.all(Array.from({ length: plan.connections }, loop));
  const seconds = (performance.now() - beganAt) / 1_000;
  // Rows are written a moment later.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const cpuMicros = plan.pids.map((pid, index) => {
    const { user, system } = cpuTime(pid);
    return (user + system - before[index]!.user - before[index]!.system) / latencies.length;
  });
  await Promise.all(pools.map((pool) => pool.close()));
  return { requests: latencies.length, seconds, cpuMicros, latencyMs: lowerQuartile(latencies) };
}

import { drive } from './drive.ts';
import type { Figures } from './figures.ts';
import type { Ground } from './ground.ts';
import { deployment } from './ground.ts';

const section = 'deployments';
const groupSize = 10;

/** What a request costs when there are few and many deployments: all of one model, and ten of each of many models. */
export async function measureDeployments(ground: Ground, figures: Figures, sizes: readonly number[], requests: number) {
  for (const size of sizes) {
    // What the first request at a deployment makes (texts, labels) must not stand for all of them.
    const enough = Math.max(requests, size * 10);
    const one = Array.from({ length: size }, (_, at) => deployment('bench-model', ground.upstreamPort, at));
    figures.add(section, size, 'all of one model', await cpuOf(ground, one, enough), 'µs of CPU a request');
    const groups = Math.max(1, Math.floor(size / groupSize));
    const many = Array.from({ length: size }, (_, at) =>
      deployment(at < groupSize ? 'bench-model' : `model-${at % groups}`, ground.upstreamPort, at),
    );
    figures.add(section, size, 'ten of each model', await cpuOf(ground, many, enough), 'µs of CPU a request');
  }
}

async function cpuOf(ground: Ground, deployments: readonly string[], requests: number): Promise<number> {
  const gateways = await ground.startGateways(`model_list:\n${deployments.join('')}`);
  try {
    const { key } = await gateways.post('/key/generate', { max_budget: 1_000_000 });
    const plan = { ports: gateways.ports, pids: gateways.pids, connections: 8, keyOf: () => String(key) };
    await drive({ ...plan, requests: requests * 2 });
    return (await drive({ ...plan, requests })).cpuMicros[0]!;
  } finally {
    await gateways.stop();
  }
}

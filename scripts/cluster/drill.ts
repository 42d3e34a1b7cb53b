import { createHash } from 'node:crypto';
import type { BookReader } from './figures.ts';
import type { Cluster } from './topology.ts';

export interface DrillResult {
  /** Nano-dollars, as the other amounts. */
  readonly cap: number;
  readonly spent: number;
  readonly overspend: number;
  readonly left: number;
  readonly served: number;
  readonly refused: number;
  readonly failed: number;
  readonly byReplica: Readonly<Record<string, number>>;
}

const capDollars = 0.002;
const outputTokens = 8;

/** Clients spend one key's budget through the balancer until each has been refused; then the books are read. */
export async function budgetDrill(cluster: Cluster, reader: BookReader, clients: number): Promise<DrillResult> {
  const { balancer, masterKey } = cluster;
  const post = (path: string, key: string, body: unknown) =>
    fetch(balancer.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const model = await firstPricedModel(cluster);
  const made = await post('/key/generate', masterKey, { max_budget: capDollars, key_alias: 'drill' });
  if (!made.ok) throw new Error(`no key could be made: ${await made.text()}`);
  const { key } = (await made.json()) as { key: string };

  const byReplica: Record<string, number> = {};
  let served = 0;
  let refused = 0;
  let failed = 0;
  const client = async (number: number) => {
    for (let turn = 0; ; turn++) {
      const messages = [{ role: 'user', content: `Drill ${number}.${turn}` }];
      const answer = await post('/v1/chat/completions', key, { model, max_tokens: outputTokens, messages });
      await answer.arrayBuffer();
      if (answer.status === 200) {
        served += 1;
        const name = answer.headers.get('x-replica') ?? '?';
        byReplica[name] = (byReplica[name] ?? 0) + 1;
      } else if (answer.status === 429) {
        refused += 1;
        return;
      } else {
        failed += 1;
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));

  // What was settled last is on its way to the database for a moment.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const id = createHash('sha256').update(key).digest('hex');
  const account = (await reader.read()).budgets.find((budget) => budget.scope === 'key' && budget.id === id);
  if (account === undefined) throw new Error('the books do not know the key of the drill');
  const { cap, spent } = account;
  return { cap, spent, overspend: Math.max(0, spent - cap), left: cap - spent, served, refused, failed, byReplica };
}

/** A model without a price would be refused under a hard budget, and a free one would never use it up. */
async function firstPricedModel({ balancer, masterKey }: Cluster): Promise<string> {
  const answer = await fetch(`${balancer.url}/model_group/info`, { headers: { authorization: `Bearer ${masterKey}` } });
  const { data } = (await answer.json()) as {
    data: { model_group: string; output_cost_per_token?: number | null }[];
  };
  const priced = data.find(({ output_cost_per_token }) => (output_cost_per_token ?? 0) >= 1e-7);
  if (priced === undefined) throw new Error('the drill needs a model with a price');
  return priced.model_group;
}

// `npm run cluster`: PostgreSQL, Redis, replicas and a balancer as plain processes on this machine, watched.
import { parseArgs } from 'node:util';
import { budgetDrill } from './drill.ts';
import { BookReader } from './figures.ts';
import { type Cluster, startCluster } from './topology.ts';
import { ClusterWatch, dollars, table } from './view.ts';

const help = `npm run cluster -- [options]
  --replicas N     gateways (default 3)
  --port N         port of the balancer (default 4000)
  --config FILE    configuration of the gateways (default: the built-in demo's simulated models)
  --budget-drill   spend one key's budget through all replicas, print what came of it, and stop
  --clients N      clients of the drill (default 24)
  --json           one line of JSON per look instead of a table
  Ctrl-C stops everything in order. TOLLGATE_MASTER_KEY sets the master key.`;

const { values } = parseArgs({
  options: {
    replicas: { type: 'string', default: '3' },
    port: { type: 'string', default: '4000' },
    config: { type: 'string' },
    'budget-drill': { type: 'boolean', default: false },
    clients: { type: 'string', default: '24' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(help);
  process.exit(0);
}

const lookMs = 1_000;
let isStopping = false;
let cluster: Cluster | undefined;
let reader: BookReader | undefined;

async function stop(code: number): Promise<never> {
  isStopping = true;
  await reader?.close();
  const codes = (await cluster?.close()) ?? [];
  if (codes.some((one) => one !== 0)) console.error(`replicas ended with ${codes.join(', ')}`);
  process.exit(codes.every((one) => one === 0) ? code : 1);
}

let interrupts = 0;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupts += 1;
    if (interrupts === 1) void stop(0);
    else for (const replica of cluster?.replicas ?? []) void replica.kill();
  });
}

try {
  cluster = await startCluster({
    replicas: whole(values.replicas, '--replicas', 1, 32),
    port: whole(values.port, '--port', 0, 65_535),
    configFile: values.config ?? null,
    onStep: (what) => console.error(`starting ${what} …`),
  });
  reader = new BookReader(cluster.databaseUrl);
  const watch = new ClusterWatch(cluster);
  const { balancer, masterKey } = cluster;
  if (values['budget-drill']) {
    const result = await budgetDrill(cluster, reader, whole(values.clients, '--clients', 1, 1_000));
    if (values.json) console.log(JSON.stringify(result));
    else {
      const { cap, spent, overspend, left, served, refused, failed, byReplica } = result;
      console.log(
        [
          `cap        ${dollars(cap)}`,
          `spent      ${dollars(spent)} in ${served} requests`,
          `overspend  ${dollars(overspend)}`,
          `left       ${dollars(left)}, too little for the bound of one more request`,
          `refused    ${refused} (each client once)`,
          `failed     ${failed}`,
          ...Object.entries(byReplica)
            .sort()
            .map(([name, count]) => `${name}  ${count} requests, ${((count / served) * 100).toFixed(0)} %`),
        ].join('\n'),
      );
    }
    await stop(result.overspend === 0 && result.failed === 0 ? 0 : 1);
  }
  if (values.json) console.log(JSON.stringify({ event: 'listening', address: balancer.url, masterKey }));
  else console.error(`listening on ${balancer.url}; master key ${masterKey}`);
  while (!isStopping) {
    const books = await reader.read();
    const figures = watch.look(books);
    if (values.json) console.log(JSON.stringify(figures));
    else {
      const clear = process.stdout.isTTY ? '\x1b[2J\x1b[H' : '';
      console.log(`${clear}${balancer.url}   master key ${masterKey}   Ctrl-C stops\n\n${table(figures)}\n`);
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
} catch (cause) {
  if (!isStopping) {
    console.error(`cluster: ${cause instanceof Error ? cause.message : String(cause)}`);
    await stop(1);
  }
}

function whole(text: string, name: string, min: number, max: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new Error(`${name}: expected a whole number from ${min} to ${max}`);
}

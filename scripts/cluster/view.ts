import type { BookFigures } from './figures.ts';
import type { Cluster } from './topology.ts';

export interface ClusterFigures {
  readonly replicas: readonly {
    readonly name: string;
    readonly pid: number | null;
    readonly state: string;
    readonly requestsPerSecond: number;
    readonly inFlight: number;
    /** Nano-dollars. */
    readonly leased: number;
  }[];
  readonly budgets: BookFigures['budgets'];
}

/** Looks at the cluster once a second or so; rates are since the last look. */
export class ClusterWatch {
  readonly #cluster: Cluster;
  readonly #answered = new Map<string, number>();
  #lookedAt = performance.now();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  look(books: BookFigures): ClusterFigures {
    const now = performance.now();
    const seconds = Math.max(0.001, (now - this.#lookedAt) / 1_000);
    this.#lookedAt = now;
    const replicas = this.#cluster.replicas.map((replica, index) => {
      const backend = this.#cluster.balancer.backends[index]!;
      const before = this.#answered.get(replica.name) ?? 0;
      this.#answered.set(replica.name, backend.answered);
      return {
        name: replica.name,
        pid: replica.pid,
        state: replica.state === 'running' ? (backend.ready ? 'ready' : 'not ready') : replica.state,
        requestsPerSecond: (backend.answered - before) / seconds,
        inFlight: backend.inFlight,
        leased: books.leases.get(replica.ledgerId ?? '') ?? 0,
      };
    });
    return { replicas, budgets: books.budgets };
  }
}

export function table({ replicas, budgets }: ClusterFigures): string {
  const rows = replicas.map(({ name, pid, state, requestsPerSecond, inFlight, leased }) => [
    name,
    String(pid ?? '-'),
    state,
    requestsPerSecond.toFixed(1),
    String(inFlight),
    dollars(leased),
  ]);
  const shared = budgets.map(({ scope, id, spent, leased, cap }) => [
    `${scope} ${id.slice(0, 12)}`,
    dollars(spent),
    dollars(leased),
    dollars(cap),
  ]);
  return [
    ...columns(['replica', 'pid', 'state', 'requests/s', 'in flight', 'leased'], rows),
    '',
    ...columns(['shared budget', 'spent', 'held', 'cap'], shared),
  ].join('\n');
}

export function dollars(nanodollars: number): string {
  return `$${(nanodollars / 1e9).toFixed(6)}`;
}

function columns(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length)));
  return [head, ...rows].map((row) => row.map((cell, at) => cell.padEnd(widths[at]!)).join('  '));
}

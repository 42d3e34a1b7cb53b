import { type Outcome, playQuietly, type Variation } from './quiet-world.ts';
import { Violation } from './violation.ts';

const plain: Variation = { replicas: 1, factor: 1, hasCaps: true, without: null, order: null };

/** Plays a seed in several ways that must come to the same, or differ in one way only. Throws where they do not. */
export async function compare(seed: number): Promise<void> {
  const replicas = 2 + (seed % 4);
  const alone = await playQuietly(seed, plain);
  equal(`M3: one replica and ${replicas}`, alone, await playQuietly(seed, { ...plain, replicas }));

  const without = seed % 9;
  firstDifferenceIsAdmitted(without, alone, await playQuietly(seed, { ...plain, without }));

  const free: Variation = { ...plain, hasCaps: false, order: 1 };
  const mixed = await playQuietly(seed, free);
  equal('M1: two orders of completion', mixed, await playQuietly(seed, { ...free, order: 2 }));
  equal('M3: two orders on several replicas', mixed, await playQuietly(seed, { ...free, order: 3, replicas }));

  const factor = 2 + (seed % 7);
  timesAsMuch(factor, mixed, await playQuietly(seed, { ...free, factor }));
}

export function equal(what: string, one: Outcome, other: Outcome): void {
  for (const [index, request] of one.requests.entries()) {
    const twin = other.requests[index]!;
    if (request.status !== twin.status || request.cost !== twin.cost) {
      throw new Violation(`${what}: ${JSON.stringify(request)} became ${JSON.stringify(twin)}`);
    }
  }
  const accounts = new Set([...one.spent.keys(), ...other.spent.keys()]);
  for (const account of accounts) {
    if (one.spent.get(account) !== other.spent.get(account)) {
      throw new Violation(
        `${what}: ${account} has ${one.spent.get(account)} and ${other.spent.get(account)} spent after the same requests`,
      );
    }
  }
}

/** M6: later ones may be refused because of what was admitted more. */
export function firstDifferenceIsAdmitted(without: number, all: Outcome, fewer: Outcome): void {
  for (const [index, { name, status, cost }] of all.requests.entries()) {
    const twin = fewer.requests[index]!;
    if (status === twin.status && cost === twin.cost) continue;
    if (status === 'denied' && twin.status === 'success') return;
    throw new Violation(
      `M6: without budget ${without} ${name} is ${twin.status} (${twin.cost}), not ${status} (${cost})`,
    );
  }
}

/** M5: each cost is rounded up once, before and after. */
export function timesAsMuch(factor: number, one: Outcome, dearer: Outcome): void {
  for (const [index, { name, status, cost }] of one.requests.entries()) {
    const twin = dearer.requests[index]!;
    if (twin.status !== status || twin.cost > cost * factor || twin.cost <= (cost - 1) * factor - 1) {
      throw new Violation(`M5: at ${factor} times the prices ${name} costs ${twin.cost} instead of ${cost}`);
    }
  }
}

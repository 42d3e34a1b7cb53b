import { World } from './world.ts';

export interface RunResult {
  readonly requests: number;
  readonly refused: number;
  readonly deaths: number;
}

type Action = readonly [weight: number, act: (world: World) => void | Promise<void>];

const actions: readonly Action[] = [
  [30, (world) => world.ask()],
  [20, (world) => world.dispatch()],
  [20, (world) => world.settle()],
  [3, (world) => world.extend()],
  [12, (world) => world.advance(world.chance.between(1, 60))],
  [3, (world) => world.advance(world.chance.between(100, 4_000))],
  [1, (world) => world.advance(world.chance.between(10_000, 90_000))],
  [0.3, (world) => world.advance(world.chance.between(600_000, 4_000_000))],
  [2, (world) => world.changeCap()],
  [1, (world) => world.changeFaults()],
  [0.5, (world) => world.crash(world.chance.pick(world.replicas))],
];
const totalWeight = actions.reduce((sum, [weight]) => sum + weight, 0);

/** Plays `steps` random steps of one seed and checks the books all the way. Throws at the first thing that is wrong. */
export async function run(seed: number, steps: number): Promise<RunResult> {
  const world = new World(seed);
  for (let step = 0; step < steps; step++) {
    for (const replica of world.replicas) {
      if (replica.ledger === null && world.chance.happens(0.3)) void world.start(replica);
    }
    let rest = world.chance.fraction() * totalWeight;
    const action = actions.find(([weight]) => {
      rest -= weight;
      return rest < 0;
    })!;
    await action[1](world);
    if (world.chance.happens(0.5)) await world.advance(0);
  }
  await world.end();
  const refused = world.oracle.requests.filter(({ state }) => state === 'refused').length;
  return { requests: world.oracle.requests.length, refused, deaths: world.deaths };
}

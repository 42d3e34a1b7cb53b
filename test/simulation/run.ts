import { World } from './world.ts';

export interface RunResult {
  readonly counts: World['counts'];
  readonly deaths: number;
  /** How often each command was given, each fault point struck, and each provider behaved in its way. */
  readonly commands: ReadonlyMap<string, number>;
  readonly struck: ReadonlyMap<string, number>;
  readonly behaviours: ReadonlyMap<string, number>;
}

interface Command {
  readonly name: string;
  readonly weight: number;
  readonly give: (world: World) => void | Promise<void>;
}

const commands: readonly Command[] = [
  { name: 'ask', weight: 9, give: (world) => world.ask() },
  { name: 'deliver', weight: 50, give: (world) => world.deliver() },
  { name: 'client reads on', weight: 1.5, give: (world) => world.clientReads() },
  { name: 'client leaves', weight: 1, give: (world) => world.clientLeaves() },
  { name: 'a moment', weight: 14, give: (world) => world.advance(world.chance.between(1, 60)) },
  { name: 'seconds', weight: 3, give: (world) => world.advance(world.chance.between(100, 4_000)) },
  { name: 'a minute', weight: 0.2, give: (world) => world.advance(world.chance.between(10_000, 90_000)) },
  { name: 'to the edge of a window', weight: 0.3, give: (world) => world.toBoundary() },
  { name: 'change a cap', weight: 1.5, give: (world) => world.changeCap() },
  { name: 'move a key', weight: 0.2, give: (world) => world.moveKey() },
  { name: 'change prices', weight: 0.2, give: (world) => world.changePrices() },
  { name: 'revoke a key, or give it back', weight: 0.3, give: (world) => world.revoke() },
  { name: 'credit', weight: 0.5, give: (world) => world.credit() },
  { name: 'change faults', weight: 0.6, give: (world) => world.changeFaults() },
  { name: 'kill', weight: 0.25, give: (world) => world.die(world.chance.pick(world.replicas)) },
  { name: 'stop', weight: 0.25, give: (world) => world.stop(world.chance.pick(world.replicas)) },
  { name: 'set a clock', weight: 0.2, give: (world) => world.jumpClock(world.chance.pick(world.replicas)) },
  { name: 'pause', weight: 0.15, give: (world) => world.pause(world.chance.pick(world.replicas)) },
  { name: 'cut off', weight: 0.15, give: (world) => world.cutOff(world.chance.pick(world.replicas)) },
];
const weights = commands.reduce((sum, { weight }) => sum + weight, 0);

/** Plays `steps` random steps of one seed and checks everything all the way. Throws at the first thing that is wrong. */
export async function run(seed: number, steps: number): Promise<RunResult> {
  const world = new World(seed);
  const given = new Map<string, number>();
  for (let step = 0; step < steps; step++) {
    for (const replica of world.replicas) {
      if (!replica.isUp && (step === 0 || world.chance.happens(0.3))) void replica.start();
    }
    let rest = world.chance.fraction() * weights;
    const { name, give } = commands.find(({ weight }) => {
      rest -= weight;
      return rest < 0;
    })!;
    given.set(name, (given.get(name) ?? 0) + 1);
    await give(world);
    if (world.oracle.hasDoubts || world.chance.happens(0.4)) await world.advance(0);
  }
  await world.end();
  const deaths = world.replicas.reduce((sum, replica) => sum + replica.deaths, 0);
  return { counts: world.counts, deaths, commands: given, struck: world.struck(), behaviours: world.provider.seen };
}

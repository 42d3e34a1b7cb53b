import type { SeededChance } from './seeded-chance.ts';

/** What a process asks of its store, by the name that people use for it. */
export const storeCalls = {
  acquireLease: 'reserve',
  apply: 'settle',
  returnLease: 'lease return',
  renewLeases: 'renewal',
  expireLeases: 'sweep',
  releaseProcess: 'release',
} as const;

const aroundStoreCalls = Object.values(storeCalls).flatMap((call) => [
  `death before the ${call} commits` as const,
  `death after the ${call} committed` as const,
  `${call} lost on its way` as const,
  `reply of the ${call} lost` as const,
  `${call} delivered twice` as const,
]);

const others = [
  'death in the middle of a journal write',
  'death after the dispatch line',
  'death after the request was sent',
  'death after the headers',
  'death at an event',
  'cap changes between read and commit',
  'pause between the reserve and its answer',
] as const;

/** Every place in which a run can go wrong by name. */
export const faultPoints = [...aroundStoreCalls, ...others] as const;
export type FaultPoint = (typeof faultPoints)[number];

/** Which of them are active in this run, how likely each is, and how often each struck. */
export class ActiveFaults {
  readonly struck = new Map<FaultPoint, number>();
  readonly #chance: SeededChance;
  readonly #likelihoods = new Map<FaultPoint, number>();
  /** No more of it: the run must come to its end. */
  isOver = false;
  onStrike = () => {};

  constructor(chance: SeededChance) {
    this.#chance = chance;
    if (chance.happens(0.2)) return;
    for (const point of faultPoints) {
      if (chance.happens(0.25)) this.#likelihoods.set(point, chance.pick([0.002, 0.01, 0.05]));
    }
  }

  strikes(point: FaultPoint): boolean {
    const likelihood = this.#likelihoods.get(point);
    if (likelihood === undefined || this.isOver || !this.#chance.happens(likelihood)) return false;
    this.struck.set(point, (this.struck.get(point) ?? 0) + 1);
    this.onStrike();
    return true;
  }
}

import type { Family } from './registry.ts';

/** Families of one subject. What is read afresh at each look is read when they are asked for. */
export interface MetricSource {
  families(): readonly Family<unknown>[];
}

/** Everything `/metrics` shows, and what travels to a collector of metrics. */
export class Exposition implements MetricSource {
  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8';
  readonly #sources: readonly MetricSource[];

  constructor(sources: readonly MetricSource[]) {
    this.#sources = sources;
  }

  families(): Family<unknown>[] {
    return this.#sources.flatMap((source) => source.families());
  }

  render(): string {
    return this.families()
      .map((family) => family.render())
      .join('');
  }
}

/**
 * Prometheus families whose series are handles: a request's label values are looked up once and the handles kept, so
 * that counting is an addition. Text format: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export interface Counted {
  value: number;
}

export interface Distribution {
  readonly counts: Float64Array;
  sum: number;
  count: number;
}

/** Past this many label sets a family stops making new series and counts into one whose labels all say `other`. */
const seriesMax = 5_000;

/** What the operator kept of a family. */
export interface Kept {
  readonly isWanted: boolean;
  /** Places of the labels that are kept; null = all of them. */
  readonly places: readonly number[] | null;
}

const everything: Kept = { isWanted: true, places: null };

export abstract class Family<Series> {
  readonly name: string;
  readonly help: string;
  /** For collectors: `s`, `By`, `{token}`; empty where the name says it. */
  unit = '';
  readonly labelNames: readonly string[];
  readonly #kept: Kept;
  readonly #series = new Map<string, { labels: readonly string[]; series: Series }>();

  constructor(name: string, help: string, labelNames: readonly string[], kept: Kept = everything) {
    this.name = name;
    this.help = help;
    this.labelNames = kept.places === null ? labelNames : kept.places.map((place) => labelNames[place]!);
    this.#kept = kept;
  }

  protected abstract make(): Series;
  protected abstract lines(labels: string, series: Series): string;
  protected abstract isUntouched(series: Series): boolean;
  abstract readonly type: 'counter' | 'gauge' | 'histogram';

  /** The handle of one label set, values in the order of the family's label names. */
  series(all: readonly string[]): Series {
    const { places } = this.#kept;
    const labels = places === null ? all : places.map((place) => all[place]!);
    const key = labels.join('\u001f');
    const known = this.#series.get(key);
    if (known !== undefined) return known.series;
    if (this.#series.size >= seriesMax && labels.some((label) => label !== 'other')) {
      return this.series(all.map(() => 'other'));
    }
    const series = this.make();
    this.#series.set(key, { labels, series });
    return series;
  }

  /** Forgets every series: for gauges that are read afresh at each scrape. */
  clear(): void {
    this.#series.clear();
  }

  /** Every series that counted something, with its label values. */
  *touched(): Generator<{ readonly labels: readonly string[]; readonly series: Series }> {
    if (!this.#kept.isWanted) return;
    for (const one of this.#series.values()) if (!this.isUntouched(one.series)) yield one;
  }

  render(): string {
    let text = '';
    // A handle made ahead of its first count is not a series yet.
    for (const { labels, series } of this.touched()) {
      if (text === '') text = `# HELP ${this.name} ${this.help}\n# TYPE ${this.name} ${this.type}\n`;
      const pairs = labels.map((value, index) => `${this.labelNames[index]}="${escapeLabel(value)}"`).join(',');
      text += this.lines(pairs, series);
    }
    return text;
  }
}

export class Counter extends Family<Counted> {
  readonly type = 'counter';
  protected isUntouched(series: Counted): boolean {
    return series.value === 0;
  }
  protected make(): Counted {
    return { value: 0 };
  }
  protected lines(labels: string, series: Counted): string {
    return `${this.name}${braces(labels)} ${series.value}\n`;
  }
}

/** A counter kept elsewhere and shown from 0 on, so that its first step is seen as one. */
export class CounterElsewhere extends Counter {
  protected override isUntouched(): boolean {
    return false;
  }
}

export class Gauge extends Family<Counted> {
  readonly type = 'gauge';
  protected isUntouched(): boolean {
    return false;
  }
  protected make(): Counted {
    return { value: 0 };
  }
  protected lines(labels: string, series: Counted): string {
    return `${this.name}${braces(labels)} ${series.value}\n`;
  }
}

export class Histogram extends Family<Distribution> {
  readonly type = 'histogram';
  readonly bounds: readonly number[];

  constructor(name: string, help: string, labelNames: readonly string[], bounds: readonly number[], kept?: Kept) {
    super(name, help, labelNames, kept);
    this.bounds = bounds;
  }

  protected make(): Distribution {
    return { counts: new Float64Array(this.bounds.length), sum: 0, count: 0 };
  }

  observe(series: Distribution, value: number): void {
    series.sum += value;
    series.count++;
    const bucket = this.#bucketOf(value);
    if (bucket < series.counts.length) series.counts[bucket]!++;
  }

  protected isUntouched(series: Distribution): boolean {
    return series.count === 0;
  }

  #bucketOf(value: number): number {
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (value <= this.bounds[middle]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  protected lines(labels: string, series: Distribution): string {
    const comma = labels === '' ? '' : ',';
    let text = '';
    let cumulative = 0;
    for (const [index, bound] of this.bounds.entries()) {
      cumulative += series.counts[index]!;
      text += `${this.name}_bucket{${labels}${comma}le="${bound}"} ${cumulative}\n`;
    }
    text += `${this.name}_bucket{${labels}${comma}le="+Inf"} ${series.count}\n`;
    return `${text}${this.name}_sum${braces(labels)} ${series.sum}\n${this.name}_count${braces(labels)} ${series.count}\n`;
  }
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

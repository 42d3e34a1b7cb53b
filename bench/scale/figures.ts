/** One figure of one section, at every size that was measured. */
export interface Curve {
  /** What is on the x axis: `keys`, `deployments` … */
  readonly section: string;
  readonly name: string;
  readonly unit: string;
  readonly points: readonly Point[];
}

export interface Point {
  readonly size: number;
  readonly value: number;
}

/** Gathers values by section and name, in the order in which they were first told. */
export class Figures {
  readonly #curves = new Map<string, Omit<Curve, 'points'> & { readonly points: Point[] }>();
  readonly #told: (text: string) => void;

  constructor(told: (text: string) => void) {
    this.#told = told;
  }

  add(section: string, size: number, name: string, value: number, unit: string): void {
    const key = `${section}: ${name}`;
    let curve = this.#curves.get(key);
    if (curve === undefined) {
      curve = { section, name, unit, points: [] };
      this.#curves.set(key, curve);
    }
    curve.points.push({ size, value });
    this.#told(`${size.toLocaleString('en')} ${section}: ${name} ${rounded(value)} ${unit}`);
  }

  get curves(): readonly Curve[] {
    return [...this.#curves.values()];
  }
}

/** Three digits that mean something. */
export function rounded(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : value === 0 ? 0 : 4;
  return Number(value.toFixed(digits)).toLocaleString('en', { maximumFractionDigits: 4 });
}

/** Beside other work on the machine the quicker ones say more. */
export function lowerQuartile(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 4)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

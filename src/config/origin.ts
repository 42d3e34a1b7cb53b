import type { Path } from './diagnostic.ts';

export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface ContainerOrigin {
  readonly self: Position;
  readonly keys: Map<string | number, Position>;
  readonly values: Map<string | number, Position>;
}

/**
 * Where each value of a configuration tree was written. Kept beside the tree (by container, not by path) so that merging
 * included files and substituting variables do not lose a place.
 */
export class Origins {
  readonly #containers = new WeakMap<object, ContainerOrigin>();

  addContainer(container: object, self: Position): void {
    this.#containers.set(container, { self, keys: new Map(), values: new Map() });
  }

  addEntry(container: object, key: string | number, keyPosition: Position, valuePosition: Position): void {
    const origin = this.#containers.get(container);
    origin?.keys.set(key, keyPosition);
    origin?.values.set(key, valuePosition);
  }

  /** Says that `target[targetKey]` is what was written as `source[sourceKey]`. */
  copyEntry(source: object, sourceKey: string | number, target: object, targetKey: string | number): void {
    const origin = this.#containers.get(source);
    const keyPosition = origin?.keys.get(sourceKey);
    const valuePosition = origin?.values.get(sourceKey);
    if (keyPosition && valuePosition) this.addEntry(target, targetKey, keyPosition, valuePosition);
  }

  /** The place of the key or value at `path`, or of the nearest container above it that has one. */
  locate(root: unknown, path: Path, of: 'key' | 'value'): Position | undefined {
    let container = root;
    let found: Position | undefined;
    for (const [index, step] of path.entries()) {
      if (typeof container !== 'object' || container === null) return found;
      const origin = this.#containers.get(container);
      found = origin?.self ?? found;
      const isLast = index === path.length - 1;
      const exact = isLast && of === 'key' ? origin?.keys.get(step) : origin?.values.get(step);
      if (exact === undefined) return found;
      found = exact;
      container = (container as Record<string | number, unknown>)[step];
    }
    if (path.length === 0 && typeof root === 'object' && root !== null) return this.#containers.get(root)?.self;
    return found;
  }
}

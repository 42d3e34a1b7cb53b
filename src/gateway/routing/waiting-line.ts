import type { Gateway } from '../gateway.ts';

/** One who waits; the lower the number, the sooner. */
export interface Place {
  readonly priority: number;
  /** Ends the rest before it looks again; null while it looks. */
  wake: (() => void) | null;
}

/** Those who wait for a deployment of one group: by priority, then as they came. */
export class WaitingLine {
  readonly #places: Place[] = [];

  join(priority: number): Place {
    const place: Place = { priority, wake: null };
    const behind = this.#places.findIndex((other) => other.priority > priority);
    this.#places.splice(behind < 0 ? this.#places.length : behind, 0, place);
    return place;
  }

  isFirst(place: Place): boolean {
    return this.#places[0] === place;
  }

  /** The next one may find something, too. */
  leave(place: Place): void {
    this.#places.splice(this.#places.indexOf(place), 1);
    this.wakeFirst();
  }

  wakeFirst(): void {
    this.#places[0]?.wake?.();
  }

  get isEmpty(): boolean {
    return this.#places.length === 0;
  }
}

const lines = new WeakMap<Gateway, Map<string, WaitingLine>>();

/** The line of a group; one that is empty is forgotten. */
export function lineOf(gateway: Gateway, group: string): WaitingLine {
  const ofGateway = lines.get(gateway) ?? new Map<string, WaitingLine>();
  lines.set(gateway, ofGateway);
  for (const [name, line] of ofGateway) if (line.isEmpty) ofGateway.delete(name);
  const line = ofGateway.get(group) ?? new WaitingLine();
  ofGateway.set(group, line);
  return line;
}

/** Something became free: whoever is first in a line looks whether it is what it waits for. */
export function wakeFirst(gateway: Gateway): void {
  const ofGateway = lines.get(gateway);
  if (ofGateway !== undefined) for (const line of ofGateway.values()) line.wakeFirst();
}

import type { Environment } from './environment.ts';
import type { Tree } from './yaml-tree.ts';

export interface MissingVariable {
  readonly path: readonly (string | number)[];
  readonly name: string;
}

/** Inside maps with these names a variable may stand in the middle of a text, e.g. `bearer os.environ/TOKEN`. */
const headerMaps = new Set(['headers', 'extra_headers', 'static_headers', 'default_headers']);

const whole = /^os\.environ\/(.+)$/s;
const inside = /os\.environ\/([A-Za-z_][A-Za-z0-9_]*)/g;

/**
 * Replaces every text that is exactly `os.environ/NAME` by the variable's value, in place and at any depth. An unset
 * variable becomes null and is reported; an empty one is an empty text.
 */
export function substitute(tree: Tree | unknown[], environment: Environment): MissingVariable[] {
  const missing: MissingVariable[] = [];
  walk(tree, [], false, environment, missing);
  return missing;
}

function walk(
  container: Tree | unknown[],
  path: readonly (string | number)[],
  inHeaders: boolean,
  environment: Environment,
  missing: MissingVariable[],
): void {
  const isList = Array.isArray(container);
  for (const key of Object.keys(container)) {
    const step = isList ? Number(key) : key;
    const value = (container as Record<string | number, unknown>)[step];
    if (typeof value === 'object' && value !== null) {
      walk(value as Tree, [...path, step], inHeaders || headerMaps.has(key), environment, missing);
    } else if (typeof value === 'string' && value.includes('os.environ/')) {
      (container as Record<string | number, unknown>)[step] = resolveText(value, inHeaders, environment, (name) =>
        missing.push({ path: [...path, step], name }),
      );
    }
  }
}

function resolveText(
  text: string,
  inHeaders: boolean,
  environment: Environment,
  onMissing: (name: string) => void,
): string | null {
  const name = whole.exec(text)?.[1];
  if (name !== undefined && !(inHeaders && /[^A-Za-z0-9_]/.test(name))) {
    const value = environment[name];
    if (value !== undefined) return value;
    onMissing(name);
    return null;
  }
  if (!inHeaders) return text;
  let isComplete = true;
  const replaced = text.replace(inside, (_, variable: string) => {
    const value = environment[variable];
    if (value === undefined) {
      onMissing(variable);
      isComplete = false;
    }
    return value ?? '';
  });
  return isComplete ? replaced : null;
}

import { Secret } from '../../core/secret.ts';
import type { SinkHeaders } from '../../core/sink-settings.ts';
import type { Environment } from '../environment.ts';

/** Values that may be written in several places; what is empty counts as absent. */
export class Written {
  readonly #maps: readonly Readonly<Record<string, unknown>>[];
  readonly environment: Environment;

  constructor(environment: Environment, ...maps: readonly (Readonly<Record<string, unknown>> | undefined)[]) {
    this.environment = environment;
    this.#maps = maps.filter((map) => map !== undefined);
  }

  /** The first of these keys that is written, else the first of these variables. */
  text(keys: readonly string[], variables: readonly string[] = []): string | null {
    for (const map of this.#maps) {
      for (const key of keys) {
        const found = plain(map[key]);
        if (found !== null) return found;
      }
    }
    for (const name of variables) {
      const found = plain(this.environment[name]);
      if (found !== null) return found;
    }
    return null;
  }

  /** Something with parts of its own, as written. */
  map(key: string): unknown {
    for (const map of this.#maps) if (map[key] !== undefined) return map[key];
    return undefined;
  }

  secret(keys: readonly string[], variables: readonly string[] = []): Secret | null {
    const found = this.text(keys, variables);
    return found === null ? null : new Secret(found);
  }

  flag(keys: readonly string[], variables: readonly string[] = []): boolean | null {
    const found = this.text(keys, variables)?.toLowerCase();
    return found === undefined ? null : found === 'true' || found === '1' || found === 'yes' || found === 'on';
  }

  count(keys: readonly string[], variables: readonly string[] = []): number | null {
    const found = Number(this.text(keys, variables) ?? Number.NaN);
    return Number.isFinite(found) && found >= 0 ? found : null;
  }
}

function plain(value: unknown): string | null {
  if (value instanceof Secret) return plain(value.reveal());
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

/** `name=value,name=value`, values URL-encoded, as OpenTelemetry writes headers and resource attributes. */
export function pairs(text: string | null): [name: string, value: string][] {
  if (text === null) return [];
  return text.split(',').flatMap((pair): [string, string][] => {
    const at = pair.indexOf('=');
    if (at < 1) return [];
    return [[decoded(pair.slice(0, at).trim()), decoded(pair.slice(at + 1).trim())]];
  });
}

export function headersIn(text: string | null): SinkHeaders {
  return pairs(text).map(([name, value]) => [name.toLowerCase(), new Secret(value)] as const);
}

/** Headers written as a map. */
export function headersOf(value: unknown): SinkHeaders {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, written]) => {
    const text = plain(written);
    return text === null ? [] : [[name.toLowerCase(), new Secret(text)] as const];
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** An address with a scheme and nothing at its end. */
export function baseUrl(text: string): string | null {
  const written = /^https?:\/\//i.test(text) ? text : `https://${text}`;
  return URL.canParse(written) ? written.replace(/\/+$/, '') : null;
}

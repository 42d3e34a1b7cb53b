import type { Endpoint, Method } from '../admin/contract.ts';
import { GatewayError } from '../core/errors.ts';

export interface RouteMatch {
  readonly endpoint: Endpoint;
  readonly params: Readonly<Record<string, string>>;
}

export interface RouteTable {
  /** Throws GatewayError: 404 for an unknown path, 405 with the methods that exist, 400 for a path that is not one. */
  match(method: string, path: string): RouteMatch;
  /** Whether any endpoint has this path, whatever the method. */
  has(path: string): boolean;
}

interface Pattern {
  readonly segments: readonly string[];
  readonly endpoint: Endpoint;
}

/** Throws when two endpoints claim the same method and path: an accident that would hide one of them. */
export function createRouteTable(endpoints: readonly Endpoint[]): RouteTable {
  const exact = new Map<string, Map<Method, Endpoint>>();
  const patterns: Pattern[] = [];
  for (const endpoint of endpoints) {
    for (const path of [endpoint.path, ...endpoint.aliases]) {
      if (path.includes('{')) {
        patterns.push({ segments: path.split('/'), endpoint });
        continue;
      }
      const methods = exact.get(path) ?? new Map<Method, Endpoint>();
      if (methods.has(endpoint.method)) throw new Error(`two endpoints for ${endpoint.method} ${path}`);
      methods.set(endpoint.method, endpoint);
      exact.set(path, methods);
    }
  }

  function candidates(path: string): RouteMatch[] {
    const found: RouteMatch[] = [...(exact.get(path)?.values() ?? [])].map((endpoint) => ({ endpoint, params: {} }));
    const segments = path.split('/');
    for (const pattern of patterns) {
      const params = matchSegments(pattern.segments, segments);
      if (params !== null) found.push({ endpoint: pattern.endpoint, params });
    }
    return found;
  }

  return {
    has: (path) => candidates(withoutTrailingSlash(path)).length > 0,
    match(method, path) {
      const found = candidates(withoutTrailingSlash(path));
      if (found.length === 0)
        throw new GatewayError(
          'not_found',
          `No such route: ${method} ${path.slice(0, 256)}. GET /routes lists what there is.`,
        );
      const wanted = method === 'HEAD' ? 'GET' : method;
      const match = found.find((candidate) => candidate.endpoint.method === wanted);
      if (match !== undefined) return match;
      const allow = [...new Set(found.map((candidate) => candidate.endpoint.method))].join(', ');
      throw new GatewayError(
        'method_not_allowed',
        `${method} is not allowed on ${path.slice(0, 256)}; allowed: ${allow}.`,
        {
          headers: { allow },
        },
      );
    },
  };
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function matchSegments(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  const params: Record<string, string> = Object.create(null);
  for (const [index, wanted] of pattern.entries()) {
    const segment = segments[index];
    if (segment === undefined) return null;
    if (!wanted.startsWith('{')) {
      if (segment !== wanted) return null;
      continue;
    }
    if (wanted.endsWith('*}')) {
      const rest = segments.slice(index).join('/');
      if (rest === '') return null;
      params[wanted.slice(1, -2)] = decode(rest);
      return params;
    }
    if (segment === '') return null;
    params[wanted.slice(1, -1)] = decode(segment);
  }
  return pattern.length === segments.length ? params : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new GatewayError('malformed_request', 'The path holds a broken percent-encoding.');
  }
}

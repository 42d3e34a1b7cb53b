import type { z } from 'zod';
import type { Actor } from './actor.ts';

/**
 * Who may call an endpoint at all. What a caller may do to one object is decided again on that object
 * (`authorize.ts`); an endpoint without a class does not compile, and one test calls every endpoint as every class.
 *  - `public`: nobody is asked for a key.
 *  - `any_key`: any valid key; the answer holds only what that key may see.
 *  - `self_service`: users, team and organization administrators, on what is theirs.
 *  - `admin_read`: administrators and administrators who may only look.
 *  - `admin`: administrators.
 */
export type Access = 'public' | 'any_key' | 'self_service' | 'admin_read' | 'admin';

/** Names of endpoint groups as `allowed_routes` of a key knows them. */
export type RouteGroup = 'llm_api_routes' | 'info_routes' | 'management_routes' | 'spend_tracking_routes';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Call<Body = unknown, Query = unknown> {
  readonly actor: Actor;
  readonly body: Body;
  readonly query: Query;
  readonly params: Readonly<Record<string, string>>;
  /** True when a valid key was shown; only ever false for public endpoints. */
  readonly signedIn: boolean;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** One endpoint of the control plane: the OpenAPI document, the door and the tests are all derived from these. */
export interface Endpoint {
  readonly method: Method;
  /** With `{name}` for one segment; the last one may be `{name*}` for the rest of the path. */
  readonly path: string;
  /** Other paths with the same meaning. */
  readonly aliases: readonly string[];
  readonly access: Access;
  readonly group: RouteGroup;
  readonly tag: string;
  readonly summary: string;
  readonly body: z.ZodType | null;
  readonly query: z.ZodType | null;
  /** What leaves: fields that are not named here are dropped. */
  readonly response: z.ZodType;
  readonly run: (call: Call) => unknown;
}

interface EndpointSpec<Body extends z.ZodType, Query extends z.ZodType> {
  readonly aliases?: readonly string[];
  readonly access: Access;
  readonly group?: RouteGroup;
  readonly tag: string;
  readonly summary: string;
  readonly body?: Body;
  readonly query?: Query;
  readonly response: z.ZodType;
  readonly run: (call: Call<z.output<Body>, z.output<Query>>) => unknown;
}

/** `endpoint('POST /key/generate', { … })`. */
export function endpoint<Body extends z.ZodType, Query extends z.ZodType>(
  route: `${Method} /${string}`,
  spec: EndpointSpec<Body, Query>,
): Endpoint {
  const space = route.indexOf(' ');
  return {
    method: route.slice(0, space) as Method,
    path: route.slice(space + 1),
    aliases: spec.aliases ?? [],
    access: spec.access,
    group: spec.group ?? 'management_routes',
    tag: spec.tag,
    summary: spec.summary,
    body: spec.body ?? null,
    query: spec.query ?? null,
    response: spec.response,
    run: spec.run as (call: Call) => unknown,
  };
}

/** An answer that is more than a JSON body with status 200. */
export class Answer {
  readonly status: number;
  readonly body: unknown;
  /** Set when the body is text to be sent as it is. */
  readonly contentType: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    body: unknown,
    contentType: string | null = null,
    headers: Readonly<Record<string, string>> = {},
  ) {
    this.status = status;
    this.body = body;
    this.contentType = contentType;
    this.headers = headers;
  }
}

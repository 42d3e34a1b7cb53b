import { z } from 'zod';
import type { Actor } from '../../admin/actor.ts';
import { notFound } from '../../admin/authorize.ts';
import type { Endpoint } from '../../admin/contract.ts';
import { endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { changeSettings, storedSettings } from '../../admin/setting.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import { dollars, flag, label } from './fields.ts';

const tag = 'settings';

const fields = {
  path: z.string().regex(/^\/[^\s?#]+$/, 'a path such as /my-service'),
  target: z.url({ protocol: /^https?$/ }),
  headers: z.record(z.string(), z.string()).nullish(),
  default_query_params: z.record(z.string(), z.string()).nullish(),
  include_subpath: flag.nullish(),
  forward_headers: flag.nullish(),
  cost_per_request: dollars.nullish(),
  timeout: z.number().nonnegative().nullish(),
  methods: z.array(z.string()).nullish(),
};
const shown = z.object({ endpoints: z.array(z.record(z.string(), z.unknown())) });
const which = z.object({ endpoint_id: label.min(1) });

/** Paths that are passed on to an address of the operator's choice, opened and closed while the gateway runs. */
export function passThroughEndpoints(plane: ControlPlane): Endpoint[] {
  const kept = async (): Promise<JsonObject[]> =>
    listIn((await storedSettings(plane)).general_settings?.pass_through_endpoints);
  const edit = (actor: Actor, change: (list: JsonObject[]) => JsonObject[]) =>
    changeSettings(plane, actor, {
      general_settings: {
        pass_through_endpoints(list) {
          const after = change(listIn(list));
          return after.length === 0 ? null : after;
        },
      },
    });
  const answer = async (id: string) => ({ endpoints: (await kept()).filter((one) => one.id === id) });

  return [
    endpoint('GET /config/pass_through_endpoint', {
      access: 'admin_read',
      group: 'info_routes',
      tag,
      summary: 'Paths that were opened through the API; those of the file stand in the file.',
      query: which.partial(),
      response: shown,
      async run({ query }) {
        const all = await kept();
        return { endpoints: query.endpoint_id === undefined ? all : all.filter(({ id }) => id === query.endpoint_id) };
      },
    }),
    endpoint('POST /config/pass_through_endpoint', {
      access: 'admin',
      tag,
      summary: 'Open a path that is passed on to an address.',
      body: z.object({ ...fields, id: label.nullish() }),
      response: shown,
      async run({ actor, body }) {
        const id = body.id ?? plane.chance.id();
        await edit(actor, (list) => {
          if (list.some((one) => one.id === id || one.path === body.path))
            throw new GatewayError('malformed_request', `Already open: ${body.path}. Change it by its id.`, {
              param: 'path',
            });
          return [...list, { ...withoutNulls(body), id }];
        });
        return answer(id);
      },
    }),
    endpoint('POST /config/pass_through_endpoint/{endpoint_id}', {
      access: 'admin',
      tag,
      summary: 'Change an opened path. Fields left out stay.',
      body: z.object(fields).partial(),
      response: shown,
      async run({ actor, body, params }) {
        const id = params.endpoint_id!;
        await edit(actor, (list) => {
          if (!list.some((one) => one.id === id)) throw notFound('endpoint', id);
          return list.map((one) => (one.id === id ? { ...one, ...withoutNulls(body) } : one));
        });
        return answer(id);
      },
    }),
    endpoint('DELETE /config/pass_through_endpoint', {
      access: 'admin',
      tag,
      summary: 'Close an opened path.',
      query: which,
      response: shown,
      async run({ actor, query }) {
        const gone = await answer(query.endpoint_id);
        if (gone.endpoints.length === 0) throw notFound('endpoint', query.endpoint_id);
        await edit(actor, (list) => list.filter(({ id }) => id !== query.endpoint_id));
        return gone;
      },
    }),
  ];
}

function listIn(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function withoutNulls(body: Readonly<Record<string, unknown>>): JsonObject {
  const given = Object.entries(body).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(given) as JsonObject;
}

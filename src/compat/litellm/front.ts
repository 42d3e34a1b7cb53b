import { z } from 'zod';
import type { Endpoint } from '../../admin/contract.ts';
import { Answer, endpoint } from '../../admin/contract.ts';
import type { ControlPlane } from '../../admin/control-plane.ts';
import { openApiDocument } from '../../admin/openapi.ts';
import { GatewayError } from '../../core/errors.ts';

const tag = 'about';

/** What stands at the door, for people, crawlers, scrapers and generators; `others` are all the other endpoints. */
export function frontEndpoints(plane: ControlPlane, others: readonly Endpoint[]): Endpoint[] {
  const endpoints: Endpoint[] = [
    endpoint('GET /', {
      access: 'public',
      group: 'info_routes',
      tag,
      summary: 'That this is a gateway.',
      response: z.string(),
      run: () => 'Tollgate is running. GET /openapi.json describes it, GET /health tells how its models are.',
    }),
    endpoint('GET /robots.txt', {
      access: 'public',
      group: 'info_routes',
      tag,
      summary: 'Keeps crawlers out.',
      response: z.string(),
      run: () => new Answer(200, 'User-agent: *\nDisallow: /\n', 'text/plain; charset=utf-8'),
    }),
    endpoint('GET /metrics', {
      access: 'public',
      group: 'info_routes',
      tag,
      summary: 'Metrics in the Prometheus format; with `require_auth_for_metrics_endpoint` for holders of a key only.',
      response: z.string(),
      async run({ signedIn }) {
        if (plane.settings.metricsNeedKey && !signedIn)
          throw new GatewayError('no_key', 'Authentication Error, No api key passed in. /metrics needs a key here.');
        const { contentType, text } = await plane.metrics();
        return new Answer(200, text, contentType);
      },
    }),
    endpoint('GET /routes', {
      access: 'public',
      group: 'info_routes',
      tag,
      summary: 'Every route.',
      response: z.object({
        routes: z.array(z.object({ path: z.string(), methods: z.array(z.string()), name: z.string() })),
      }),
      run: () => ({
        routes: [
          ...plane.dataPaths.map((path) => ({ path, methods: ['POST'], name: 'data' })),
          ...plane.freePaths.map(({ path, method }) => ({ path, methods: [method as string], name: 'data' })),
          ...[...others, ...endpoints].flatMap((one) =>
            [one.path, ...one.aliases].map((path) => ({ path, methods: [one.method], name: one.summary })),
          ),
        ],
      }),
    }),
    endpoint('GET /openapi.json', {
      access: 'public',
      group: 'info_routes',
      tag,
      summary: 'This description, as OpenAPI 3.1.',
      response: z.record(z.string(), z.unknown()),
      run: () => {
        document ??= openApiDocument([...others, ...endpoints], plane.dataPaths, plane.freePaths, plane.version);
        return document;
      },
    }),
  ];
  let document: Record<string, unknown> | undefined;
  return endpoints;
}

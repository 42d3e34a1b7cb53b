import { z } from 'zod';
import type { Endpoint } from './contract.ts';

type Schema = Record<string, unknown>;

const errorSchema: Schema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'code'],
      properties: {
        message: { type: 'string' },
        type: { type: 'string' },
        param: { type: ['string', 'null'] },
        code: { type: 'string', description: 'the HTTP status as text' },
      },
    },
  },
};

/** The OpenAPI 3.1 description of the control plane, from the same endpoints that answer, and of the data plane's paths. */
export function openApiDocument(
  endpoints: readonly Endpoint[],
  dataPaths: readonly string[],
  freePaths: readonly FreePath[],
  version: string,
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of endpoints) {
    for (const [index, path] of [endpoint.path, ...endpoint.aliases].entries()) {
      const shown = path.replace('*}', '}');
      paths[shown] ??= {};
      paths[shown][endpoint.method.toLowerCase()] = operation(endpoint, shown, index);
    }
  }
  for (const path of dataPaths) paths[path] = { ...paths[path], post: dataOperation(path) };
  for (const { method, path } of freePaths) {
    paths[path] = { ...paths[path], [method.toLowerCase()]: freeOperation(method, path) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tollgate',
      version,
      description:
        'A self-hosted AI gateway. Data routes take the wire formats of the providers whose names they carry.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: [...new Set([...endpoints.map((endpoint) => endpoint.tag), 'data'])].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Error: errorSchema },
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'master key or virtual key' } },
    },
  };
}

function operation(endpoint: Endpoint, path: string, aliasIndex: number): Record<string, unknown> {
  const query = endpoint.query === null ? {} : schemaOf(endpoint.query, 'input');
  const required = new Set((query.required as string[] | undefined) ?? []);
  const properties = (query.properties ?? {}) as Record<string, Schema>;
  return {
    operationId: operationId(endpoint.method, path),
    summary: endpoint.summary,
    tags: [endpoint.tag],
    ...(aliasIndex > 0 ? { description: `The same as ${endpoint.path.replace('*}', '}')}.` } : {}),
    'x-access': endpoint.access,
    security: endpoint.access === 'public' ? [] : [{ key: [] }],
    parameters: [
      ...pathParameters(path),
      ...Object.entries(properties).map(([name, schema]) => ({
        name,
        in: 'query',
        required: required.has(name),
        schema,
      })),
    ],
    ...(endpoint.body === null
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaOf(endpoint.body, 'input') } },
          },
        }),
    responses: {
      200: { description: 'OK', content: { 'application/json': { schema: schemaOf(endpoint.response, 'output') } } },
      default: {
        description: 'What is wrong',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  };
}

/** A path of the data plane where nothing is bought. */
export interface FreePath {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
}

function freeOperation(method: FreePath['method'], path: string): Record<string, unknown> {
  const any = { type: 'object', additionalProperties: true };
  const content = { 'application/json': { schema: any } };
  return {
    operationId: operationId(method, path),
    summary: 'Answered without asking a model, in the wire format of this path.',
    tags: ['data'],
    security: [{ key: [] }],
    parameters: pathParameters(path),
    ...(method === 'POST' ? { requestBody: { required: false, content } } : {}),
    responses: {
      200: { description: 'OK', content },
      default: { description: 'What is wrong, in the same wire format', content },
    },
  };
}

function dataOperation(path: string): Record<string, unknown> {
  const any = { type: 'object', additionalProperties: true };
  return {
    operationId: operationId('POST', path),
    summary: 'Sent on to a model, in the wire format of this path.',
    tags: ['data'],
    security: [{ key: [] }],
    parameters: pathParameters(path),
    requestBody: { required: true, content: { 'application/json': { schema: any } } },
    responses: {
      200: {
        description: 'The answer, whole or as server-sent events',
        content: { 'application/json': { schema: any }, 'text/event-stream': { schema: { type: 'string' } } },
      },
      default: {
        description: 'What is wrong, in the same wire format',
        content: { 'application/json': { schema: any } },
      },
    },
  };
}

function pathParameters(path: string): Schema[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function operationId(method: string, path: string): string {
  return `${method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+/g, '_')}`.replace(/_$/, '');
}

/** `$schema` belongs to a document, not to a part of one. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' });
  return rest;
}

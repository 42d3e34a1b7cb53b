import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlJourney, startControlPlane } from './control-plane.ts';

let journey: ControlJourney;
beforeAll(async () => {
  journey = await startControlPlane();
});
afterAll(() => journey.close());

const methods = new Set(['get', 'post', 'put', 'patch', 'delete']);
const schemaTypes = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']);

describe('the OpenAPI document', () => {
  it('is a valid description of every route', async () => {
    const { status, json } = await journey.call('GET /openapi.json', { key: null });
    expect(status).toBe(200);
    expect(json.openapi).toBe('3.1.0');
    expect(json.info).toMatchObject({ title: 'Tollgate', version: '0.0.0-test' });
    const ids: string[] = [];
    for (const [path, item] of Object.entries<Record<string, never>>(json.paths)) {
      expect(path).toMatch(/^\/[^*]*$/);
      for (const [method, operation] of Object.entries<Record<string, never>>(item)) {
        const where = `${method} ${path}`;
        expect([where, methods.has(method)]).toEqual([where, true]);
        ids.push(operation.operationId!);
        expect([where, Object.keys(operation.responses!)]).toEqual([where, expect.arrayContaining(['200'])]);
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
        const parameters = (operation.parameters ?? []) as {
          name: string;
          in: string;
          required: boolean;
          schema: object;
        }[];
        const declared = parameters.filter((one) => one.in === 'path');
        expect([where, declared.map((one) => one.name)]).toEqual([where, inPath]);
        expect(declared.every((one) => one.required)).toBe(true);
        for (const parameter of parameters) checkSchema(parameter.schema, where);
        for (const media of contents(operation)) checkSchema(media.schema, where);
      }
    }
    expect(new Set(ids).size).toBe(ids.length);
    for (const { method, path, aliases } of journey.endpoints) {
      for (const one of [path, ...aliases])
        expect(json.paths[one.replace('*}', '}')]).toHaveProperty(method.toLowerCase());
    }
    expect(json.paths['/v1/chat/completions']).toHaveProperty('post');
  });

  it('names required fields and tells what goes in', async () => {
    const { json } = await journey.call('GET /openapi.json');
    const body = json.paths['/customer/new'].post.requestBody.content['application/json'].schema;
    expect(body.required).toContain('user_id');
    expect(body.properties.max_budget).toBeDefined();
    const info = json.paths['/team/info'].get.parameters;
    expect(info).toContainEqual(expect.objectContaining({ name: 'team_id', in: 'query', required: true }));
  });

  it('lists the same routes at /routes', async () => {
    const { json } = await journey.call('GET /routes');
    const paths = json.routes.map((route: { path: string }) => route.path);
    expect(paths).toEqual(
      expect.arrayContaining(['/v1/chat/completions', '/key/generate', '/end_user/new', '/openapi.json']),
    );
  });
});

function contents(operation: Record<string, never>): { schema: object }[] {
  const body = (operation.requestBody as { content?: object } | undefined)?.content ?? {};
  const answers = Object.values<{ content: object }>(operation.responses as never).map((answer) => answer.content);
  return [body, ...answers].flatMap((content) => Object.values<{ schema: object }>(content as never));
}

/** Every part of a schema is one: types are known, references are to the components. */
function checkSchema(schema: unknown, where: string): void {
  if (typeof schema === 'boolean') return;
  expect(schema, where).toBeTypeOf('object');
  const { type, $ref, properties, items, anyOf, additionalProperties } = schema as Record<string, never>;
  if ($ref !== undefined) expect($ref, where).toBe('#/components/schemas/Error');
  const types: string[] = type === undefined ? [] : Array.isArray(type) ? type : [type];
  for (const name of types) expect([where, schemaTypes.has(name)]).toEqual([where, true]);
  for (const inner of Object.values((properties ?? {}) as object)) checkSchema(inner, where);
  for (const inner of (anyOf ?? []) as unknown[]) checkSchema(inner, where);
  if (items !== undefined) checkSchema(items, where);
  if (additionalProperties !== undefined) checkSchema(additionalProperties, where);
}

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Dialect } from '../../src/core/dialect.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { NeutralRequest, NeutralResponse } from '../../src/core/neutral.ts';
import { plainAnswer, plainOptions } from './dialect.ts';

export interface TaskSubject<Request, Response> {
  readonly dialect: Dialect;
  /** Requests and answers that this format can say without loss. */
  readonly requests: fc.Arbitrary<Request>;
  readonly responses: fc.Arbitrary<Response>;
  /** The request whose answer is told, for formats that repeat parts of it. */
  readonly asked?: JsonObject;
  /** Fields whose values are thrown at `inspect` in every shape. */
  readonly fields: readonly string[];
}

/** What every format for something else than a conversation must hold. */
export function taskContract<Request extends { model: string }, Response>(
  subject: TaskSubject<Request, Response>,
): void {
  const { dialect } = subject;

  test('a request survives being written and read', () => {
    fc.assert(
      fc.property(subject.requests, (request) => {
        const options = { ...plainOptions, model: request.model };
        const body = overTheWire(dialect.request.encode(request as unknown as NeutralRequest, options));
        const read = dialect.request.decode(body) as unknown as Request;
        expect(body.model === undefined ? { ...read, model: request.model } : read).toEqual(request);
        expect(dialect.inspect(body).stream).toBe(false);
        expect(dialect.passThrough(body, options)).toEqual(new Map());
      }),
      { numRuns: 200 },
    );
  });

  test('an answer survives being written and read', () => {
    fc.assert(
      fc.property(subject.responses, (response) => {
        const options = {
          ...plainAnswer,
          ...(subject.asked === undefined ? {} : { request: { body: subject.asked } }),
        };
        const body = overTheWire(dialect.response.encode(response as unknown as NeutralResponse, options));
        expect(dialect.response.decode(body)).toEqual(response);
        expect(dialect.response.read(body).usage).toEqual((response as { usage: unknown }).usage);
      }),
      { numRuns: 200 },
    );
  });

  test('what is no answer is refused, whatever it is', () => {
    for (const body of [{}, { error: { message: 'no' } }, { data: 'x', results: 'x', embeddings: 'x', list: 'x' }]) {
      expect(() => dialect.response.decode(body)).toThrow(GatewayError);
      expect(() => dialect.response.read(body)).toThrow(GatewayError);
    }
  });

  test('a body of any shape is read or refused with a message, never with a crash', () => {
    const names = fc.constantFrom('model', 'user', '__proto__', ...subject.fields);
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 }), (body) => {
        try {
          dialect.inspect(body as JsonObject);
          dialect.request.decode(body as JsonObject);
        } catch (error) {
          expect(error).toBeInstanceOf(GatewayError);
          expect((error as GatewayError).status).toBe(400);
        }
      }),
      { numRuns: 300 },
    );
  });
}

function overTheWire(body: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(body)) as JsonObject;
}

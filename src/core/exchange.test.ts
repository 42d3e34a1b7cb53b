import { expect, it } from 'vitest';
import { asAdmitted, asAnswered, asIdentified, asPlanned, asReceived, asSettled, letGoOfBody } from './exchange.ts';
import type { JsonObject } from './json.ts';

/** Has every field, whose value is its name. */
const everything = new Proxy({}, { get: (_target, name) => name }) as never;

it('takes over every field of every station', () => {
  const received = asReceived(everything);
  const planned = asPlanned(asIdentified(received, received.snapshot, everything), everything);
  const settled = asSettled(asAnswered(asAdmitted(planned, everything), everything), everything);
  expect(settled).toBe(received);
  const names = Object.keys(settled);
  expect(names.length).toBeGreaterThan(30);
  const asTheBody = { parsed: 'body', settings: 'body' };
  expect({ ...settled }).toEqual({ ...Object.fromEntries(names.map((name) => [name, name])), ...asTheBody });
  expect(settled.body).toBe('body');
});

function received(body: JsonObject, more: { readonly upload?: object } = {}) {
  const bytes = Buffer.from(JSON.stringify(body));
  return asReceived({ bytes, body, upload: null, passThrough: null, ...more } as never);
}

it('lets go of a large body, and reads it again when it is needed', () => {
  const messages = [{ role: 'user', content: 'ü"\n'.repeat(40_000) }];
  const body = { model: 'm', temperature: 0.5, stream: true, messages, prompt: 'x'.repeat(1_001), __proto__: null };
  const exchange = received(body);
  letGoOfBody(exchange);
  expect(exchange.settings).toEqual({ model: 'm', temperature: 0.5, stream: true });
  expect(exchange.body).not.toBe(body);
  expect(exchange.body).toEqual(JSON.parse(JSON.stringify(body)));
  expect(exchange.body).toBe(exchange.body);
});

it('keeps a small body, and the fields of a form', () => {
  const small = { messages: [{ role: 'user', content: 'Hello' }] };
  const large = { prompt: 'x'.repeat(100_000) };
  const form = received(large, { upload: {} });
  for (const exchange of [received(small), form]) letGoOfBody(exchange);
  expect(form.body).toBe(large);
  expect(form.settings).toBe(large);
  const kept = received(small);
  letGoOfBody(kept);
  expect(kept.body).toBe(small);
});

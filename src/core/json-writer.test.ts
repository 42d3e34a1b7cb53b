import fc from 'fast-check';
import { expect, it } from 'vitest';
import { JsonWriter } from './json-writer.ts';

const writer = new JsonWriter();
function written(write: (writer: JsonWriter) => void): string {
  writer.reset();
  write(writer);
  return writer.written.toString();
}

it('writes texts as JSON.stringify does', () => {
  const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 40 }));
  fc.assert(
    fc.property(anyText, (text) => {
      expect(written((to) => to.text(text))).toBe(JSON.stringify(text));
    }),
  );
  for (const text of ['', '\u007f', '"', '\\', '\n', '\ud800', 'ü', 'x'.repeat(30_000)]) {
    expect(written((to) => to.text(text))).toBe(JSON.stringify(text));
  }
  expect(written((to) => to.text(null))).toBe('null');
});

it('writes figures as JSON.stringify does', () => {
  const thousandths = fc.nat().map((parts) => parts / 1_000);
  const anyFigure = fc.oneof(fc.double(), fc.maxSafeInteger(), fc.nat(), fc.integer({ min: 0, max: 20 }), thousandths);
  fc.assert(
    fc.property(anyFigure, (value) => {
      expect(written((to) => to.figure(value))).toBe(JSON.stringify(value));
    }),
  );
  for (let power = 1; power < 2 ** 53; power *= 10) {
    for (const value of [power - 1, power, power + 1]) {
      expect(written((to) => to.figure(value))).toBe(String(value));
    }
  }
  for (const value of [
    0,
    -0,
    -1,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    1e21,
    0.1,
    0.001,
    0.0005,
    1e-7,
    1.25,
    9_999_999.999,
    10_000_000.5,
    -0.5,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
  ]) {
    expect(written((to) => to.figure(value))).toBe(JSON.stringify(value));
  }
});

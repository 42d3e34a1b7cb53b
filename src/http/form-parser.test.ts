import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formBody } from '../core/form.ts';
import { FormParser } from './form-parser.ts';

interface ReadPart {
  name: string;
  fileName: string | null;
  content: Buffer;
}

function read(boundary: string, chunks: readonly Buffer[]): ReadPart[] {
  const parts: ReadPart[] = [];
  const parser = new FormParser(boundary, {
    part: (name, fileName) => parts.push({ name, fileName, content: Buffer.alloc(0) }),
    data: (chunk) => {
      const last = parts.at(-1)!;
      last.content = Buffer.concat([last.content, chunk]);
    },
    partEnd() {},
    end() {},
  });
  for (const chunk of chunks) parser.push(chunk);
  parser.finish();
  return parts;
}

function oneByOne(bytes: Buffer): Buffer[] {
  return [...bytes].map((byte) => Buffer.of(byte));
}

const content = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom('', '\r\n', '\r\n--', '\r', '--x--', '\r\n--tollgate-').map((text) => Buffer.from(text)),
);

describe('a form', () => {
  it('reads the same however it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ name: fc.constantFrom('a', 'ü"b', 'c d'), content }), { minLength: 1, maxLength: 4 }),
        (parts) => {
          const { bytes: written, contentType } = formBody(
            parts.map((part, index) =>
              index % 2 === 0
                ? { name: part.name, fileName: 'f"ile.bin', mediaType: 'audio/mpeg', bytes: part.content }
                : { name: part.name, value: part.content.toString('utf8') },
            ),
          );
          const bytes = written as Buffer;
          const boundary = contentType.split('boundary=')[1]!;
          const whole = read(boundary, [bytes]);
          expect(whole.map(({ name }) => name)).toEqual(parts.map(({ name }) => name));
          expect(whole[0]!.content.equals(parts[0]!.content)).toBe(true);
          expect(whole[0]!.fileName).toBe('f"ile.bin');
          expect(read(boundary, oneByOne(bytes))).toEqual(whole);
          for (let at = 1; at < bytes.length; at += 7) {
            const cut = [bytes.subarray(0, at), bytes.subarray(at)];
            expect(read(boundary, cut)).toEqual(whole);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('that ends too early, or is none, is refused', () => {
    const good = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n';
    for (let length = 0; length < good.length - 2; length += 1) {
      expect(() => read('x', [Buffer.from(good.slice(0, length))])).toThrow('middle of a part');
    }
    expect(() => read('x', [Buffer.from('--x\r\na: b\r\n\r\n')])).toThrow('no name');
    expect(() => read('x', [Buffer.from('--xy\r\n')])).toThrow('not followed by the end of its line');
    expect(() => read('x', [Buffer.from(`--x\r\n${'a'.repeat(17_000)}`)])).toThrow('longer than');
    const many = '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n'.repeat(201);
    expect(() => read('x', [Buffer.from(many)])).toThrow('more than 200 parts');
  });
});

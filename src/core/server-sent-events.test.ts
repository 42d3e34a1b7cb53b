import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeLatin1, EventReader, EventSplitter, eventBytesMax } from './server-sent-events.ts';

interface Event {
  name: string;
  data: string;
}

/** Everything a stream says, however it is cut; `bytes` is what came out, for comparison with what went in. */
function readAll(chunks: readonly Uint8Array[]): { events: Event[]; bytes: string; foreign: boolean } {
  const splitter = new EventSplitter();
  const reader = new EventReader();
  const events: Event[] = [];
  let bytes = '';
  let foreign = false;
  const take = (whole: Buffer | null) => {
    if (whole === null) return;
    reader.open(whole.toString('latin1'));
    while (reader.next()) {
      foreign ||= reader.foreign;
      bytes += whole.toString('latin1', reader.start, reader.end);
      if (reader.data !== null) events.push({ name: decodeLatin1(reader.name), data: decodeLatin1(reader.data) });
    }
  };
  for (const chunk of chunks) take(splitter.push(chunk));
  take(splitter.rest());
  return { events, bytes, foreign };
}

const whole = (text: string) => readAll([Buffer.from(text)]);

test.each<[string, Event[]]>([
  [
    'data: a\n\ndata: b\n\n',
    [
      { name: '', data: 'a' },
      { name: '', data: 'b' },
    ],
  ],
  [
    'data:a\r\n\r\ndata:  b\r\n\r\n',
    [
      { name: '', data: 'a' },
      { name: '', data: ' b' },
    ],
  ],
  [
    'data: a\r\rdata: b\r\r',
    [
      { name: '', data: 'a' },
      { name: '', data: 'b' },
    ],
  ],
  ['\ufeffdata: a\n\n', [{ name: '', data: 'a' }]],
  [': comment\n\nevent: x\ndata: a\ndata: b\ndata\nid: 7\nretry: 1\n\n', [{ name: 'x', data: 'a\nb\n' }]],
  ['event:x\n\ndata: a', [{ name: '', data: 'a' }]],
  ['\n\n\ndata: 語😀\n\n\n\n', [{ name: '', data: '語😀' }]],
  ['data:\n\n', [{ name: '', data: '' }]],
])('%j', (text, events) => {
  expect(whole(text).events).toEqual(events);
});

test('tells a page from an event stream', () => {
  expect(whole('<html>\n<body>\n\nx\n\n').foreign).toBe(true);
  expect(whole(': x\n\nid: 1\nevent: y\n\nretry\n\n').foreign).toBe(false);
});

const line = fc.oneof(
  fc.constantFrom('data: {"a":"é語😀"}', 'data:x', 'event: e', ': note', 'id: 1', 'data', 'data: '),
  fc.string({ maxLength: 6 }).map((text) => `data: ${text.replace(/[\r\n]/g, '')}`),
);
const terminator = fc.constantFrom('\n', '\r\n', '\r');
const stream = fc
  .array(fc.tuple(line, terminator, fc.boolean()), { maxLength: 10 })
  .map((lines) => lines.map(([text, end, isLast]) => text + end + (isLast ? end : '')).join(''));

test('any cut of the bytes says the same, and loses none of them', () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat({ max: 120 }), { maxLength: 6 }), (text, cuts) => {
      const bytes = Buffer.from(text);
      const expected = readAll([bytes]);
      const points = [...new Set(cuts.filter((cut) => cut < bytes.length))].sort((a, b) => a - b);
      const chunks = [0, ...points].map((start, index) => bytes.subarray(start, points[index] ?? bytes.length));
      expect(readAll(chunks)).toEqual(expected);
      expect(readAll([...bytes].map((byte) => Buffer.of(byte)))).toEqual(expected);
      expect(expected.bytes).toBe(bytes.toString('latin1'));
    }),
    { numRuns: 1000 },
  );
});

test('a large event in small pieces takes linear time', () => {
  const piece = Buffer.from('x'.repeat(1000));
  const started = process.hrtime.bigint();
  const splitter = new EventSplitter();
  splitter.push(Buffer.from('data: '));
  for (let count = 0; count < 15_000; count += 1) expect(splitter.push(piece)).toBeNull();
  expect(splitter.push(Buffer.from('\n\n'))?.length).toBe(15_000_008);
  expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(2000);
});

test('many lines without an empty one are no danger', () => {
  const started = process.hrtime.bigint();
  const splitter = new EventSplitter();
  expect(splitter.push(Buffer.from('data: a\n'.repeat(500_000)))).toBeNull();
  expect(Number(process.hrtime.bigint() - started) / 1e6).toBeLessThan(2000);
});

test('an event without end is refused', () => {
  const splitter = new EventSplitter();
  const mebibyte = Buffer.alloc(1024 * 1024, 'x');
  expect(() => {
    for (let count = 0; count <= eventBytesMax / mebibyte.length; count += 1) splitter.push(mebibyte);
  }).toThrow(/larger than/);
});

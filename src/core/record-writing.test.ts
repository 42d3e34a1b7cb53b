import fc from 'fast-check';
import { expect, it } from 'vitest';
import { requestRecord } from '../../test/contract/records.ts';
import { JsonWriter } from './json-writer.ts';
import { detailOf, readRecord, recordOfWritten, type WrittenRecord } from './record-reading.ts';
import { writeRecord } from './record-writing.ts';
import type { Attempt, RequestRecord } from './request-record.ts';
import { noUsage, usageClasses } from './usage.ts';

const attempt: Attempt = {
  deploymentId: 'd',
  group: 'g',
  provider: 'p',
  model: 'm',
  startedAt: 1,
  durationMs: 2,
  status: 200,
  result: 'success',
  ambiguous: false,
  charged: 0,
};

/** Read back both ways: whole, and in parts with something before and behind. */
function read(record: RequestRecord): unknown {
  const writer = new JsonWriter();
  writeRecord(writer, record);
  const text = writer.written.toString();
  const around = Buffer.from(`{"r":${text},"a":[]}`);
  const { record: inParts, detail } = readRecord(around, 5, around.length - 8);
  const whole = recordOfWritten(JSON.parse(text) as WrittenRecord);
  expect(inParts).toEqual(whole);
  expect(JSON.parse(detail)).toEqual(JSON.parse(JSON.stringify(detailOf(whole))));
  return whole;
}

it('says what JSON.stringify would, of every member and after any other record', () => {
  const plain = requestRecord('r1', { admittedMs: 0.25, attempts: [attempt] });
  expect(read(plain)).toEqual(plain);
  for (const [name, value] of Object.entries(plain)) {
    const changed: unknown =
      {
        tags: ['a"b', 'c'],
        usage: { ...noUsage, inputTokens: 7, estimated: true },
        attempts: [attempt, attempt],
        metadata: { a: { b: [1, null] } },
        firstTokenAt: 5,
      }[name] ?? (typeof value === 'boolean' ? !value : typeof value === 'number' ? value + 0.5 : 'other "ü"\u2028\n');
    const record = { ...plain, [name]: changed } as RequestRecord;
    expect(read(record), name).toEqual(record);
  }
  for (const name of Object.keys(attempt)) {
    const value = attempt[name as keyof Attempt];
    const other = typeof value === 'boolean' ? !value : typeof value === 'number' ? value + 1 : 'other';
    const record = { ...plain, attempts: [{ ...attempt, [name]: other }] } as RequestRecord;
    expect(read(record), name).toEqual(record);
  }
});

it('holds every member of usage', () => {
  for (const name of Object.keys(noUsage).filter((one) => one !== 'estimated')) {
    const record = requestRecord('r1', { usage: { ...noUsage, [name]: 5 } });
    expect(read(record), name).toEqual(record);
  }
  const usages = [{ units: { images: 2 } }, { providerCost: 5 }, { serviceTier: 'flex' }];
  for (const more of usages) {
    const record = requestRecord('r1', { usage: { ...noUsage, ...more } });
    expect(read(record)).toEqual(record);
  }
});

it('says what JSON.stringify would of any texts and figures', () => {
  const anyText = fc.option(fc.string({ unit: 'binary' }));
  const anyFigure = fc.double();
  fc.assert(
    fc.property(
      anyText,
      anyText,
      anyFigure,
      anyFigure,
      fc.array(fc.string()),
      fc.jsonValue(),
      (one, two, first, second, tags, metadata) => {
        const record = requestRecord(one ?? 'id', {
          endUserId: one,
          errorMessage: two,
          clientAddress: two,
          keyId: one,
          requestText: two,
          overheadMs: first,
          usage: { ...noUsage, outputTokens: second, cacheReadTokens: first },
          tags,
          metadata: { metadata } as RequestRecord['metadata'],
          attempts: [{ ...attempt, durationMs: first, result: one ?? '' }],
        });
        const expected = JSON.parse(JSON.stringify(record)) as RequestRecord;
        for (const name of usageClasses) expected.usage[name] ??= 0;
        expect(read(record)).toEqual(expected);
      },
    ),
  );
});

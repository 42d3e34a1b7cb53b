import { describe, expect, test } from 'vitest';
import { decodeAll, plainAnswer, readStreams, relayAll } from '../../../test/contract/dialect.ts';
import { summarize } from '../../../test/contract/stream-summary.ts';
import { GatewayError } from '../../core/errors.ts';
import { encodedParts } from '../../gateway/streams/translated-stream.ts';
import { geminiArray } from './array.ts';
import { gemini } from './index.ts';

const streams = readStreams(new URL('fixtures/', import.meta.url));
const oneByOne = (bytes: Buffer) => [...bytes].map((byte) => Uint8Array.of(byte));

describe.each(streams)('stream $name as a list', ({ bytes, expected }) => {
  test('is JSON with every event in it, and reads the same, however it is cut', () => {
    const { output, progress } = relayAll(geminiArray, [bytes]);
    expect(progress.ending).toBe(expected!.ending);
    expect(relayAll(geminiArray, oneByOne(bytes)).output.equals(output)).toBe(true);
    if (expected!.ending === 'error') {
      const error = geminiArray.errors.streamEvent(new GatewayError('upstream_unavailable', 'Overloaded.'), 'r-1');
      const list = JSON.parse(Buffer.concat([output, error]).toString());
      expect(list.at(-1)).toMatchObject({ error: { code: 503, message: 'Overloaded.' } });
      return;
    }
    const list = JSON.parse(output.toString());
    expect(list).toHaveLength(bytes.toString().match(/^data: /gm)!.length);
    expect(summarize(decodeAll(geminiArray, [output]))).toEqual(expected);
    expect(summarize(decodeAll(geminiArray, oneByOne(output)))).toEqual(expected);
    const pretty = Buffer.from(JSON.stringify(list, null, 2).replaceAll('\n', '\r\n'));
    expect(summarize(decodeAll(geminiArray, [pretty]))).toEqual(expected);
  });

  test('can be told from parts', () => {
    const parts = decodeAll(gemini, [bytes]);
    const told = encodedParts(geminiArray.streamEncoder(plainAnswer), parts) ?? Buffer.alloc(0);
    const said = summarize(decodeAll(geminiArray, [told]));
    if (expected!.ending === 'error') expect(said.ending).toBe('open');
    else expect([JSON.parse(told.toString()).length > 0, said.choices]).toEqual([true, expected!.choices]);
  });
});

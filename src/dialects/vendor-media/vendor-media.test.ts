import { describe, expect, it } from 'vitest';
import { plainOptions } from '../../../test/contract/dialect.ts';
import type { Dialect } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { DialectName } from '../../core/operation.ts';
import type { UploadedFile } from '../../core/upload.ts';
import { dialects } from '../index.ts';

const named = (name: DialectName): Dialect => dialects.get(name)!;

function sent(from: DialectName, to: DialectName, model: string, body: JsonObject, files: UploadedFile[] = []) {
  const request = named(from).request.decode(body, files);
  const wire = named(to).request.encodeBody!(request, { ...plainOptions, model });
  return { text: Buffer.from(wire.bytes as Uint8Array).toString(), tail: wire.addressTail ?? '' };
}

/** The fields of a form that are texts. */
function fieldsOf(form: string): Record<string, string> {
  return Object.fromEntries(
    [...form.matchAll(/name="(\w+)"\r\n\r\n([^\r]*)/g)].map(([, name, value]) => [name, value]),
  );
}

const speak = (changes: JsonObject) => ({ model: 'm', input: 'Grüezi', voice: 'aura-2-thalia-en', ...changes });
const file: UploadedFile = {
  field: 'image',
  fileName: 'a.png',
  mediaType: 'image/png',
  bytes: () => Buffer.from('png'),
} as unknown as UploadedFile;

describe('what vendors of media are asked, as their own clients ask it', () => {
  it('Deepgram: the speed is a parameter, sound without a container where it is raw', () => {
    const { tail } = sent('openai-speech', 'deepgram-speech', 'aura-2', speak({ speed: 1.2, response_format: 'pcm' }));
    expect(Object.fromEntries(new URLSearchParams(tail.slice(1)))).toEqual({
      model: 'aura-2-thalia-en',
      encoding: 'linear16',
      container: 'none',
      speed: '1.2',
    });
  });

  it.each([
    ['mp3', 'mp3_44100_128'],
    ['wav', 'wav_24000'],
    ['pcm', 'pcm_24000'],
    ['opus', 'opus_48000_64'],
  ])('ElevenLabs: %s', (format, told) => {
    const body = speak({ voice: 'v1', response_format: format });
    const { tail } = sent('openai-speech', 'elevenlabs-speech', 'eleven_v3', body);
    expect(tail).toBe(`/v1?output_format=${told}`);
  });

  it('Stability: one address of the third generation serves several models, and wants to know what becomes of an image', () => {
    const draw = { model: 'm', prompt: 'A cat', size: '1024x1024' };
    const drawn = sent('openai-images', 'stability-images', 'sd3.5-large', draw).text;
    expect(fieldsOf(drawn)).toMatchObject({ prompt: 'A cat', aspect_ratio: '1:1', model: 'sd3.5-large' });
    const changed = sent('openai-image-edits', 'stability-images', 'sd3.5-large', draw, [file]).text;
    expect(fieldsOf(changed)).toEqual({
      prompt: 'A cat',
      model: 'sd3.5-large',
      mode: 'image-to-image',
      strength: '0.65',
    });
    const ultra = sent('openai-image-edits', 'stability-images', 'ultra', { ...draw, strength: 0.3 }, [file]).text;
    expect(fieldsOf(ultra)).toEqual({ prompt: 'A cat', strength: '0.3' });
    expect(() => sent('openai-image-edits', 'stability-images', 'core', draw, [file])).toThrow('changing images');
  });
});

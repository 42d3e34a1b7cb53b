import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { realtimeSession } from './session.ts';

const said = (event: object) => realtimeSession.said(JSON.stringify(event));
const heard = (event: object) => realtimeSession.heard(JSON.stringify(event))[0];

describe('a message of the caller', () => {
  it.each([1, 2, 3, 100, 960, 4_800, 480_000])('with %i bytes of sound is measured to the byte', (bytes) => {
    const audio = Buffer.alloc(bytes, 7).toString('base64');
    expect(said({ type: 'input_audio_buffer.append', audio })).toEqual({ kind: 'sound', bytes });
    expect(said({ event_id: '"audio":""', audio, type: 'input_audio_buffer.append' })).toEqual({
      kind: 'sound',
      bytes,
    });
  });

  it.each([
    `{"type":"input_audio_buffer.append","audio":"AAAA","x":"${'y'.repeat(2_000)}"}`,
    `{"audio":"${'A'.repeat(2_000)}","type":"input_audio_buffer.append","audio":"AAAA"}`,
    `{"x":{"audio":"${'A'.repeat(600)}"},"audio":"AAAA","type":"input_audio_buffer.append","y":"${'y'.repeat(600)}"}`,
    '{"type":"input_audio_buffer.\\u0061ppend","audio":"AAAA"}',
  ])('is not measured by what looks like sound: %#', (text) => {
    const measured = realtimeSession.said(text);
    expect(measured?.kind).toBe('sound');
    // Never less than the sound that the provider reads.
    expect(measured?.kind === 'sound' && measured.bytes).toBeGreaterThanOrEqual(3);
  });

  it('names who transcribes, in both ways of words, and takes another name', () => {
    const today = said({
      type: 'session.update',
      session: {
        type: 'realtime',
        audio: { input: { format: { type: 'audio/pcmu' }, transcription: { model: 'ours', language: 'de' } } },
      },
    });
    expect(today).toMatchObject({
      kind: 'settings',
      settings: { transcript: { model: 'ours' }, bytesPerSecond: 8_000 },
    });
    expect(today?.kind === 'settings' && JSON.parse(today.withModel('theirs'))).toEqual({
      type: 'session.update',
      session: {
        type: 'realtime',
        audio: { input: { format: { type: 'audio/pcmu' }, transcription: { model: 'theirs', language: 'de' } } },
      },
    });
    const before = said({
      type: 'transcription_session.update',
      session: { input_audio_format: 'pcm16', input_audio_transcription: { model: 'ours' } },
    });
    expect(before).toMatchObject({ settings: { transcript: { model: 'ours' }, bytesPerSecond: 48_000 } });
    expect(before?.kind === 'settings' && JSON.parse(before.withModel('theirs')).session).toEqual({
      input_audio_format: 'pcm16',
      input_audio_transcription: { model: 'theirs' },
    });
    expect(said({ type: 'session.update', session: { audio: { input: { transcription: null } } } })).toMatchObject({
      settings: { transcript: null },
    });
    expect(said({ type: 'session.update', session: { instructions: 'Be brief.' } })).toMatchObject({
      settings: { transcript: undefined },
    });
  });
});

it('whatever is said on either side breaks nothing', () => {
  const types = ['session.update', 'session.updated', 'input_audio_buffer.append', 'input_audio_buffer.committed'];
  const more = ['response.done', 'error', 'conversation.item.input_audio_transcription.completed'];
  const names = ['session', 'audio', 'response', 'usage', 'item_id', 'error', 'transcript', 'content_index'];
  const nested = { input: { transcription: { model: 'a' }, format: { type: 7 } } };
  const value = fc.oneof(
    fc.json().map((text) => JSON.parse(text)),
    fc.constant({ audio: nested, input_audio_transcription: 'x' }),
  );
  const message = fc.tuple(fc.constantFrom(...types, ...more), fc.dictionary(fc.constantFrom(...names), value));
  fc.assert(
    fc.property(message, ([type, rest]) => {
      const text = JSON.stringify({ type, ...rest });
      const asked = realtimeSession.said(text);
      if (asked?.kind === 'settings') asked.withModel('b');
      realtimeSession.heard(text);
    }),
  );
});

describe('a message of the provider', () => {
  const completed = (usage?: object) =>
    heard({
      type: 'conversation.item.input_audio_transcription.completed',
      item_id: 'item_1',
      content_index: 0,
      transcript: 'Grüezi',
      ...(usage && { usage }),
    });

  it('tells a transcript in seconds, in tokens, as nothing, or not at all', () => {
    expect(completed({ type: 'duration', seconds: 2.5 })).toMatchObject({
      item: 'item_1',
      bytes: 7,
      usage: { units: { audioMs: 2_500 } },
    });
    const tokens = {
      type: 'tokens',
      total_tokens: 17,
      input_tokens: 13,
      output_tokens: 4,
      input_token_details: { text_tokens: 3, audio_tokens: 10 },
    };
    expect(completed(tokens)).toMatchObject({ usage: { inputTokens: 3, inputAudioTokens: 10, outputTokens: 4 } });
    expect(completed({ type: 'tokens', total_tokens: 0, input_tokens: 0, output_tokens: 0 })).toMatchObject({
      usage: { inputTokens: 0, estimated: false },
    });
    expect(completed()).toMatchObject({ usage: undefined });
  });

  it.each(['{', '[]', 'null', '{"type":"response.done"}', '{"type":"session.updated","session":7}', ''])(
    'that means nothing is nothing: %s',
    (text) => {
      expect(realtimeSession.heard(text)).toEqual([]);
      expect(realtimeSession.said(text)).toBeNull();
    },
  );
});

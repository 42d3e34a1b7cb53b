import { readdirSync, readFileSync } from 'node:fs';
import type { AnswerOptions, Dialect } from '../../../src/core/dialect.ts';
import type { DialectName } from '../../../src/core/operation.ts';
import { dialects } from '../../../src/dialects/index.ts';
import { encodedParts } from '../../../src/gateway/streams/translated-stream.ts';
import { seeded } from '../../chaos/row.ts';
import type { WireRow } from '../row.ts';

const sources = new URL('../../../src/dialects/', import.meta.url);
/** Formats whose streams are text, and what the files of recorded ones end in. */
const formats: readonly (readonly [name: DialectName, suffix: string, folder?: string])[] = [
  ['openai-chat', '.sse'],
  ['openai-completions', '.sse'],
  ['openai-responses', '.sse'],
  ['anthropic-messages', '.sse'],
  ['mistral-chat', '.sse'],
  ['gemini-generate', '.sse', 'gemini'],
  ['cohere-chat', '.sse'],
  ['ollama-chat', '.ndjson'],
];

/** The same stream as other servers would write it. */
const spellings: readonly (readonly [name: string, write: (text: string) => string])[] = [
  ['as recorded', (text) => text],
  ['CRLF', (text) => text.replaceAll('\n', '\r\n')],
  ['CR', (text) => text.replaceAll('\n', '\r')],
  ['a byte order mark', (text) => `\ufeff${text}`],
  ['comments', (text) => text.replaceAll('\n\n', '\n\n: still here\n\n')],
  ['no space after the colon', (text) => text.replaceAll('data: ', 'data:')],
];

const options: AnswerOptions = { model: 'modèle', usageInStream: true, requestId: 'r', createdAt: 1_700_000_000 };

/** Promise 17: however the bytes of a stream are cut on their way, the same goes on and the same is counted. */
export const cutsRow: WireRow = {
  row: 17,
  kind: 'wire',
  promise: 'Any cut of the byte stream gives the same output',
  target:
    'output and usage identical for at least 60 streams at every cut in two, byte by byte, and 1,000 random cuts; characters damaged: 0',
  run: async (size) => {
    const broken: string[] = [];
    const random = seeded(17);
    let streams = 0;
    let comparisons = 0;
    let different = 0;
    let damaged = 0;
    for (const [name, suffix, folder = name] of formats) {
      const dialect = dialects.get(name)!;
      for (const { file, text } of recorded(folder, suffix)) {
        for (const [spelling, write] of suffix === '.sse' ? spellings : spellings.slice(0, 1)) {
          if (size === 'short' && spelling !== 'as recorded') continue;
          streams += 1;
          const plain = text.replace(/^\ufeff/, '');
          const bytes = Buffer.from(spelling === 'as recorded' ? text : write(plain.replaceAll('\r\n', '\n')));
          const whole = said(dialect, [bytes]);
          if (whole.includes('\ufffd') && !text.includes('\ufffd')) damaged += 1;
          const rounds = size === 'short' ? 5 : spelling === 'as recorded' ? 1_000 : 100;
          for (const chunks of cuts(bytes, size === 'short' ? 60 : bytes.length, rounds, random)) {
            comparisons += 1;
            if (said(dialect, chunks) === whole) continue;
            different += 1;
            if (broken.length < 5)
              broken.push(`${name}/${file}, ${spelling}: cut into ${chunks.length} it says otherwise`);
          }
          // A row must not keep others from their turn.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }
    if (damaged > 0) broken.push(`${damaged} streams have characters that nobody sent`);
    return {
      figures: {
        streams,
        'formats and spellings': `${formats.length}, ${size === 'short' ? 1 : spellings.length}`,
        'ways to cut them': comparisons,
        'other output or usage': different,
        'streams with damaged characters': damaged,
      },
      broken,
    };
  },
};

function recorded(name: string, suffix: string): { readonly file: string; readonly text: string }[] {
  const folder = new URL(`${name}/fixtures/`, sources);
  return readdirSync(folder)
    .filter((file) => file.endsWith(suffix))
    .map((file) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') }));
}

/** What goes on to a caller of the same format and of another one, and what is counted. */
function said(dialect: Dialect, chunks: readonly Uint8Array[]): string {
  const relay = dialect.relay(options);
  const decoder = dialect.streamDecoder();
  const parts: Parameters<typeof decoder.end>[0] = [];
  const passed: Uint8Array[] = [];
  for (const chunk of chunks) {
    const output = relay.push(chunk);
    if (output !== null) passed.push(output);
    decoder.push(chunk, parts);
  }
  const last = relay.end();
  if (last !== null) passed.push(last);
  decoder.end(parts);
  const other = dialects.get(dialect.name === 'anthropic-messages' ? 'openai-chat' : 'anthropic-messages')!;
  const translated = encodedParts(other.streamEncoder(options), parts) ?? Buffer.alloc(0);
  return `${Buffer.concat(passed)}\n${translated}\n${JSON.stringify([parts, relay.progress])}`;
}

function* cuts(bytes: Buffer, inTwo: number, rounds: number, random: () => number): Generator<Uint8Array[]> {
  const step = Math.max(1, Math.ceil(bytes.length / inTwo));
  for (let at = 1; at < bytes.length; at += step) yield [bytes.subarray(0, at), bytes.subarray(at)];
  yield [...bytes].map((byte) => Uint8Array.of(byte));
  for (let round = 0; round < rounds; round++) {
    const longest = 1 + Math.floor(random() * 400);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; ) {
      const next = Math.min(bytes.length, at + 1 + Math.floor(random() * longest));
      chunks.push(bytes.subarray(at, next));
      at = next;
    }
    yield chunks;
  }
}

import type { AnswerOptions, Dialect } from '../../core/dialect.ts';
import type { ContentBlock, NeutralResponse, StreamPart } from '../../core/neutral.ts';
import { encodedParts } from './translated-stream.ts';

/** The bytes of a stream that tells a whole answer: for cached answers, mocks, and providers that would not stream. */
export function replayedStream(dialect: Dialect, response: NeutralResponse, options: AnswerOptions): Buffer {
  return encodedParts(dialect.streamEncoder(options), partsOf(response)) ?? Buffer.alloc(0);
}

/** A whole answer as the parts of a stream, one delta per block. */
export function* partsOf(response: NeutralResponse): Generator<StreamPart> {
  yield { type: 'start', id: response.id, model: response.model, createdAt: response.createdAt };
  for (const { index: choice, content } of response.choices) {
    for (const [block, contentBlock] of content.entries()) yield* blockParts(choice, block, contentBlock);
  }
  for (const { index: choice, finishReason: reason, stopSequence } of response.choices) {
    yield { type: 'finish', choice, reason, ...(stopSequence === undefined ? {} : { stopSequence }) };
  }
  if (response.usage !== undefined) yield { type: 'usage', usage: response.usage };
  yield { type: 'end' };
}

function* blockParts(choice: number, block: number, content: ContentBlock): Generator<StreamPart> {
  switch (content.type) {
    case 'text':
      yield { type: 'text-start', choice, block };
      yield { type: 'text-delta', choice, block, text: content.text };
      for (const annotation of content.annotations ?? []) yield { type: 'annotation', choice, block, annotation };
      break;
    case 'refusal':
      yield { type: 'refusal-delta', choice, block, text: content.text };
      break;
    case 'reasoning':
      if (content.redacted !== undefined) {
        yield { type: 'reasoning-start', choice, block, redacted: content.redacted };
        break;
      }
      yield { type: 'reasoning-start', choice, block };
      yield { type: 'reasoning-delta', choice, block, text: content.text };
      if (content.signature !== undefined) {
        yield { type: 'reasoning-signature', choice, block, signature: content.signature };
      }
      break;
    case 'tool_call':
      yield {
        type: 'tool-call-start',
        choice,
        block,
        id: content.id,
        name: content.name,
        ...(content.custom && { custom: content.custom }),
      };
      yield { type: 'tool-call-delta', choice, block, arguments: content.arguments };
      break;
    case 'vendor':
      yield { type: 'vendor', choice, block, dialect: content.dialect, event: content.block };
      break;
    case 'image':
    case 'audio':
    case 'file':
    case 'tool_result':
      // No stream format carries these.
      return;
  }
  yield { type: 'block-end', choice, block };
}

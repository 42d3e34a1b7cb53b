import { awsEvent } from '../../core/aws-event-stream.ts';
import type { StreamEncoder } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import type { Usage } from '../../core/usage.ts';
import { plainCallId } from '../thought-signature.ts';
import { toldCitation } from './citations.ts';
import { encodeStopReason } from './stop-reason.ts';
import { encodeUsage } from './usage.ts';

const nothing = Buffer.alloc(0);

/** Parts as frames. This format has one choice; its stop comes before its usage, which ends the stream. */
export class ConverseStreamEncoder implements StreamEncoder {
  #usage: Usage | undefined;

  encode(part: StreamPart): Uint8Array {
    if ('choice' in part && part.choice !== 0) return nothing;
    switch (part.type) {
      case 'start':
        this.#usage = part.usage;
        return awsEvent('messageStart', { role: 'assistant' });
      case 'text-delta':
      case 'refusal-delta':
        return delta(part.block, { text: part.text });
      case 'reasoning-start':
        if (part.redacted === undefined) return nothing;
        return delta(part.block, { reasoningContent: { redactedContent: part.redacted } });
      case 'reasoning-delta':
        return delta(part.block, { reasoningContent: { text: part.text } });
      case 'reasoning-signature':
        return delta(part.block, { reasoningContent: { signature: part.signature } });
      case 'tool-call-start': {
        const toolUse = { toolUseId: plainCallId(part.id), name: part.name };
        return awsEvent('contentBlockStart', { start: { toolUse }, contentBlockIndex: part.block });
      }
      case 'tool-call-delta':
        return delta(part.block, { toolUse: { input: part.arguments } });
      case 'annotation': {
        const citation = toldCitation(part.annotation, '');
        return citation === undefined ? nothing : delta(part.block, { citation });
      }
      case 'vendor':
        return part.dialect === 'bedrock-converse' ? vendorEvent(part.block, part.event) : nothing;
      case 'block-end':
        return awsEvent('contentBlockStop', { contentBlockIndex: part.block });
      case 'finish':
        return awsEvent('messageStop', { stopReason: encodeStopReason(part.reason, part.stopSequence) });
      case 'usage':
        this.#usage = part.usage;
        return nothing;
      case 'end':
        return awsEvent('metadata', { usage: encodeUsage(this.#usage), metrics: { latencyMs: 0 } });
      case 'text-start':
      case 'image':
      case 'ping':
      case 'error':
        return nothing;
      default:
        return part satisfies never;
    }
  }
}

function delta(contentBlockIndex: number, told: JsonObject): Buffer {
  return awsEvent('contentBlockDelta', { delta: told, contentBlockIndex });
}

/** An event of this format that came through a translation unread. */
function vendorEvent(contentBlockIndex: number, event: JsonObject): Buffer {
  if (isJsonObject(event.contentBlockStart)) {
    return awsEvent('contentBlockStart', { start: event.contentBlockStart, contentBlockIndex });
  }
  if (isJsonObject(event.contentBlockDelta)) return delta(contentBlockIndex, event.contentBlockDelta);
  return awsEvent('contentBlockStop', { contentBlockIndex });
}

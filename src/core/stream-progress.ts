import type { StreamProgress } from './dialect.ts';
import type { StreamPart } from './neutral.ts';

export function newStreamProgress(): StreamProgress {
  return {
    contentStarted: false,
    ending: 'open',
    error: undefined,
    usage: undefined,
    usageComplete: false,
    finishReason: null,
    responseId: undefined,
    responseModel: undefined,
    outputBytes: 0,
    events: 0,
  };
}

/** Brings the progress of a translated stream up to date with one more of its parts. */
export function observePart(progress: StreamProgress, part: StreamPart): void {
  switch (part.type) {
    case 'start':
      progress.responseId = part.id;
      progress.responseModel = part.model;
      if (part.usage !== undefined) progress.usage = part.usage;
      break;
    case 'text-delta':
    case 'refusal-delta':
    case 'reasoning-delta':
      progress.contentStarted = true;
      progress.outputBytes += Buffer.byteLength(part.text);
      break;
    case 'tool-call-delta':
      progress.contentStarted = true;
      progress.outputBytes += Buffer.byteLength(part.arguments);
      break;
    case 'tool-call-start':
      progress.contentStarted = true;
      progress.outputBytes += Buffer.byteLength(part.name);
      break;
    case 'reasoning-start':
      if (part.redacted !== undefined) {
        progress.contentStarted = true;
        progress.outputBytes += part.redacted.length;
      }
      break;
    case 'image':
      progress.contentStarted = true;
      progress.outputBytes += part.source.kind === 'base64' ? part.source.base64.length : part.source.url.length;
      break;
    case 'vendor':
      progress.contentStarted = true;
      break;
    case 'finish':
      progress.finishReason = part.reason;
      break;
    case 'usage':
      progress.usage = part.usage;
      progress.usageComplete = true;
      break;
    case 'error':
      progress.ending = 'error';
      progress.error = {
        message: part.message,
        type: part.errorType,
        code: part.code,
        param: undefined,
        kind: part.kind,
        fields: undefined,
        status: part.status,
      };
      break;
    case 'end':
      if (progress.ending === 'open') progress.ending = 'complete';
      break;
    case 'text-start':
    case 'reasoning-signature':
    case 'annotation':
    case 'block-end':
    case 'ping':
      break;
    default:
      part satisfies never;
  }
  if (part.type !== 'ping') progress.events += 1;
}

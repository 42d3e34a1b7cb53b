import { AwsChunkFraming } from '../../core/aws-event-chunks.ts';
import { awsEvent, awsEventStreamType } from '../../core/aws-event-stream.ts';
import type {
  BodyEdits,
  Dialect,
  EncodeOptions,
  StreamDecoder,
  StreamEncoder,
  StreamRelay,
} from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { EventReader } from '../../core/server-sent-events.ts';
import { anthropicMessages } from '../anthropic-messages/index.ts';
import { converseErrors } from '../bedrock-converse/errors.ts';
import { malformed } from '../body-checks.ts';

/*
 * InvokeModel with Anthropic's messages in it: the path says model and stream, the body names the version and the betas,
 * and a stream's events come in Amazon's frames.
 */

class InvokeRelay implements StreamRelay {
  readonly #inner: StreamRelay;

  constructor(inner: StreamRelay) {
    this.#inner = inner;
  }

  get progress() {
    return this.#inner.progress;
  }

  push(chunk: Uint8Array): Uint8Array | null {
    return framed(this.#inner.push(chunk));
  }

  end(): Uint8Array | null {
    return framed(this.#inner.end());
  }
}

class InvokeEncoder implements StreamEncoder {
  readonly #inner: StreamEncoder;

  constructor(inner: StreamEncoder) {
    this.#inner = inner;
  }

  encode(part: StreamPart): Uint8Array {
    const told = this.#inner.encode(part);
    return framed(typeof told === 'string' ? Buffer.from(told) : told) ?? Buffer.alloc(0);
  }
}

class InvokeDecoder implements StreamDecoder {
  readonly #events = new AwsChunkFraming();
  readonly #inner = anthropicMessages.streamDecoder();

  push(chunk: Uint8Array, parts: StreamPart[]): void {
    const events = this.#events.push(chunk);
    if (events !== null) this.#inner.push(events, parts);
  }

  end(parts: StreamPart[]): void {
    this.#inner.end(parts);
  }
}

const reader = new EventReader();

/** Whole server-sent events as frames, each with one event in base64. */
function framed(events: Uint8Array | null): Buffer | null {
  if (events === null || events.length === 0) return null;
  const frames: Buffer[] = [];
  reader.open(Buffer.from(events).toString('latin1'));
  while (reader.next()) {
    if (reader.data === null) continue;
    frames.push(awsEvent('chunk', { bytes: Buffer.from(reader.data, 'latin1').toString('base64') }));
  }
  return frames.length === 0 ? null : Buffer.concat(frames);
}

function passThrough(body: JsonObject, options: EncodeOptions): BodyEdits {
  const edits = new Map(anthropicMessages.passThrough(body, options));
  for (const name of ['anthropic_version', 'anthropic_beta']) if (body[name] !== undefined) edits.set(name, undefined);
  if (options.stream === true) edits.set('stream', true);
  return edits;
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html */
export const bedrockInvoke: Dialect = Object.freeze({
  ...anthropicMessages,
  name: 'bedrock-invoke',
  variantOf: 'anthropic-messages',
  inspect: (body, address) => {
    if (!Array.isArray(body.messages) || typeof body.anthropic_version !== 'string') {
      const what =
        'expected the body of an Anthropic model, such as "bedrock-2023-05-31"; ask other models by Converse';
      throw malformed('anthropic_version', what);
    }
    return anthropicMessages.inspect(body, address);
  },
  passThrough,
  relay: (options) => new InvokeRelay(anthropicMessages.relay(options)),
  streamDecoder: () => new InvokeDecoder(),
  streamEncoder: (options) => new InvokeEncoder(anthropicMessages.streamEncoder(options)),
  errors: converseErrors,
  heartbeat: null,
  streamContentType: awsEventStreamType,
} satisfies Dialect);

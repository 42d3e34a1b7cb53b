import { AwsChunkFraming } from '../../core/aws-event-chunks.ts';
import { awsEvent, awsFrames } from '../../core/aws-event-stream.ts';
import type { Dialect, StreamDecoder, StreamEncoder } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { StreamPart } from '../../core/neutral.ts';
import { EventReader } from '../../core/server-sent-events.ts';
import { bedrockConverse } from '../bedrock-converse/index.ts';
import { optionalNumber, optionalObject, optionalString } from '../body-checks.ts';
import { ofInvoke } from './calls.ts';
import { chunkFrame, nothing } from './framing.ts';

/** Nova's bodies are Converse's, but for a schema version and a place for `topK`. https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html */
export const nova: Dialect = ofInvoke({
  ...bedrockConverse,
  inspect: (body, address) => bedrockConverse.inspect(asConverse(body), address),
  request: { ...bedrockConverse.request, decode: (body) => bedrockConverse.request.decode(asConverse(body)) },
  streamDecoder: () => new NovaDecoder(),
  streamEncoder: (options) => new NovaEncoder(bedrockConverse.streamEncoder(options)),
});

function asConverse({ schemaVersion, ...body }: JsonObject): JsonObject {
  optionalString({ schemaVersion }, 'schemaVersion');
  const config = optionalObject(body, 'inferenceConfig');
  if (config === undefined) return body;
  const { topK: _, top_k: _old, max_new_tokens: oldMax, top_p: oldTopP, ...rest } = config;
  const k =
    optionalNumber(config, 'topK', 'inferenceConfig.topK') ?? optionalNumber(config, 'top_k', 'inferenceConfig.top_k');
  const more = isJsonObject(body.additionalModelRequestFields) ? body.additionalModelRequestFields : {};
  return {
    ...body,
    inferenceConfig: {
      ...(oldMax === undefined ? {} : { maxTokens: oldMax }),
      ...(oldTopP === undefined ? {} : { topP: oldTopP }),
      ...rest,
    },
    ...(k === undefined ? {} : { additionalModelRequestFields: { ...more, top_k: k } }),
  };
}

/** Converse's events, each named by the one member of an object instead of by its frame. */
class NovaEncoder implements StreamEncoder {
  readonly #inner: StreamEncoder;

  constructor(inner: StreamEncoder) {
    this.#inner = inner;
  }

  encode(part: StreamPart): Uint8Array {
    const frames = this.#inner.encode(part);
    if (frames.length === 0) return nothing;
    const told: Buffer[] = [];
    for (const { headers, payload } of awsFrames(Buffer.from(frames as Uint8Array))) {
      told.push(chunkFrame(`{${JSON.stringify(headers.get(':event-type') ?? '')}:${payload.toString()}}`));
    }
    return Buffer.concat(told);
  }
}

class NovaDecoder implements StreamDecoder {
  readonly #events = new AwsChunkFraming();
  readonly #reader = new EventReader();
  readonly #inner = bedrockConverse.streamDecoder();

  push(chunk: Uint8Array, parts: StreamPart[]): void {
    const events = this.#events.push(chunk);
    if (events === null) return;
    this.#reader.open(Buffer.from(events).toString('latin1'));
    while (this.#reader.next()) {
      if (this.#reader.data === null) continue;
      const event = JSON.parse(Buffer.from(this.#reader.data, 'latin1').toString()) as JsonObject;
      for (const [name, payload] of Object.entries(event)) {
        if (isJsonObject(payload)) this.#inner.push(awsEvent(name, payload), parts);
      }
    }
  }

  end(parts: StreamPart[]): void {
    this.#inner.end(parts);
  }
}

import type { OtlpSetting } from '../../../core/sink-settings.ts';
import { Bodies, joined } from '../../sinks/batch.ts';
import type { Delivery, Destination, Encoded } from '../../sinks/destination.ts';
import type { SinkEntry } from '../../sinks/entry.ts';
import type { Program } from '../../sinks/open-destination.ts';
import { deliveryOf, flatHeaders, type PostAnswer, post, type Sender } from '../../sinks/post.ts';
import { decorateForLangfuse, langfuseEntry } from './langfuse.ts';
import { messageHead, ProtobufWriter } from './protobuf-writer.ts';
import { rejectedIn } from './rejected.ts';
import { attributesJson, resourceBytes, type Span, scopeBytes, spanJson, writeSpan } from './span.ts';
import { spansOf } from './spans-of-request.ts';
import { semanticConventions } from './vocabulary.ts';

export const scopeName = 'tollgate';

/** Spans over HTTP, in protobuf or JSON. https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export function otlpDestination(
  setting: OtlpSetting,
  sender: Sender,
  { version, conventionName }: Pick<Program, 'version' | 'conventionName'>,
): Destination {
  const envelope =
    setting.encoding === 'protobuf' ? protobufEnvelope(setting, version) : jsonEnvelope(setting, version);
  const contentType = setting.encoding === 'protobuf' ? 'application/x-protobuf' : 'application/json';
  const headers = ['content-type', contentType, ...flatHeaders(setting.headers)];
  const bodies = new Bodies();
  return {
    encode: (entry) =>
      envelope.encode(
        setting.langfuse ? langfuseSpans(entry, setting, conventionName) : spansOf(entry, conventionName),
      ),
    async send(batch): Promise<Delivery> {
      const body = envelope.wrap(batch, bodies);
      const answer = await post(sender, {
        url: setting.tracesUrl,
        method: 'POST',
        headers,
        body,
        timeoutMs: setting.timeoutMs,
      });
      const delivery = deliveryOf(answer, sender.clock.now());
      if (delivery.kind === 'delivered') bodies.giveBack(body);
      return withRejected(delivery, answer, batch);
    },
    batchMax: setting.batchMax,
    batchBytesMax: 4 * 1024 * 1024,
    parallelMax: 2,
    flushMs: setting.flushMs,
  };
}

function langfuseSpans(
  entry: SinkEntry,
  { langfuseTags }: OtlpSetting,
  conventionName: Program['conventionName'],
): Span[] {
  return spansOf(langfuseEntry(entry), conventionName, (told, root) => decorateForLangfuse(told, root, langfuseTags));
}

/** A collector may take a part of a batch and say how much it left. */
function withRejected(delivery: Delivery, answer: PostAnswer | string, batch: readonly Encoded[]): Delivery {
  if (delivery.kind !== 'delivered' || typeof answer === 'string') return delivery;
  const items = batch.reduce((sum, one) => sum + one.items, 0);
  return { kind: 'delivered', refused: Math.min(items, rejectedIn(answer)) };
}

interface Envelope {
  encode(spans: readonly Span[]): Encoded;
  wrap(batch: readonly Encoded[], bodies: Bodies): Buffer;
}

function protobufEnvelope({ resource }: OtlpSetting, version: string): Envelope {
  const writer = new ProtobufWriter();
  const resourcePart = resourceBytes(resource);
  const scopePart = scopeBytes(scopeName, version);
  const schema = new ProtobufWriter();
  schema.string(3, semanticConventions.schemaUrl);
  const schemaPart = schema.take();
  return {
    encode(spans) {
      writer.reset();
      for (const span of spans) writeSpan(writer, span);
      return { bytes: writer.written(), items: spans.length };
    },
    wrap(batch, bodies) {
      let spanBytes = 0;
      for (const { bytes } of batch) spanBytes += bytes.length;
      const scopeLength = scopePart.length + spanBytes + schemaPart.length;
      const scopeHead = messageHead(2, scopeLength);
      const resourceLength = resourcePart.length + scopeHead.length + scopeLength + schemaPart.length;
      const head = messageHead(1, resourceLength);
      const body = bodies.take(head.length + resourceLength);
      let at = 0;
      const put = (part: Buffer): void => {
        body.set(part, at);
        at += part.length;
      };
      for (const part of [head, resourcePart, scopeHead, scopePart]) put(part);
      for (const { bytes } of batch) put(bytes);
      put(schemaPart);
      put(schemaPart);
      return body;
    },
  };
}

function jsonEnvelope({ resource }: OtlpSetting, version: string): Envelope {
  const { schemaUrl } = semanticConventions;
  const resourceText = JSON.stringify({ attributes: attributesJson(Object.entries(resource).flat()) });
  const scopeText = JSON.stringify({ name: scopeName, version });
  const head = `{"resourceSpans":[{"resource":${resourceText},"scopeSpans":[{"scope":${scopeText},"spans":[`;
  const tail = `],"schemaUrl":"${schemaUrl}"}],"schemaUrl":"${schemaUrl}"}]}`;
  return {
    encode: (spans) => ({
      bytes: Buffer.from(spans.map((span) => JSON.stringify(spanJson(span))).join(',')),
      items: spans.length,
    }),
    wrap: (batch) => joined(head, batch, ',', tail),
  };
}

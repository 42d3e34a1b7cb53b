import type { Dialect } from '../../src/core/dialect.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { NeutralRequest, StreamPart } from '../../src/core/neutral.ts';
import { mediaByAddress } from '../../src/gateway/call/inline-media.ts';
import { AnswerAssembly } from '../../src/gateway/streams/assemble.ts';
import { partsOf } from '../../src/gateway/streams/replay.ts';
import { encodedParts } from '../../src/gateway/streams/translated-stream.ts';
import { providers } from '../../src/providers/index.ts';
import { plainAnswer, plainOptions } from '../contract/dialect.ts';
import type { Feature } from './features.ts';

/**
 * `yes`: it arrives. `fetched`: the gateway gets it for the caller, and its bytes arrive. `caller`: the caller's own format has no way to say it. `refused`: the provider's format has none, and
 * the caller is told so. `hint`: as refused, but left out silently, because it means nothing there (cache marks, another provider's signatures). `lost`: it should
 * never be so.
 */
export type Finding = 'yes' | 'fetched' | 'caller' | 'refused' | 'hint' | 'lost';

/** Sends one feature from a caller's format to a provider's and back, over real bytes, and looks whether it is still there. */
export function observe(feature: Feature, caller: Dialect, provider: Dialect): Finding {
  switch (feature.kind) {
    case 'request': {
      const said = attempt(() => requestOver(caller, feature.ask, false));
      if (said === undefined || !feature.kept(said)) return 'caller';
      const found = verdict(feature, () => feature.kept(requestOver(provider, said, feature.reasons === true)));
      if (found !== 'refused' || !takesBytesAlone(provider)) return found;
      return attempt(() => bytesArrive(said, provider)) === true ? 'fetched' : found;
    }
    case 'echo': {
      const native = feature.native[provider.name];
      const turn = feature.echo[caller.name];
      if (turn === undefined) return 'caller';
      // Of a provider that signs nothing there is nothing to send back.
      if (native === undefined) return 'hint';
      const told = overTheWire(caller.response.encode(provider.response.decode(overTheWire(native)), plainAnswer));
      const traits = { ...plainOptions.traits, reasoningModel: true };
      const options = { ...plainOptions, traits, model: 'm' };
      const body = provider.request.encode(caller.request.decode(turn(told)), options);
      if (JSON.stringify(body).includes(feature.secret)) return 'yes';
      return JSON.stringify(told).includes(feature.secret) ? 'lost' : 'caller';
    }
    case 'answer': {
      const shown = attempt(() => answerOver(caller, feature.answer));
      if (shown === undefined || !feature.kept(shown)) return 'caller';
      const given = attempt(() => answerOver(provider, feature.answer));
      if (given === undefined || !feature.kept(given)) return 'refused';
      return feature.kept(answerOver(caller, given)) ? 'yes' : 'lost';
    }
    case 'stream': {
      const shown = attempt(() => streamOver(caller, feature.parts));
      if (shown === undefined || !feature.kept(shown)) return 'caller';
      const given = attempt(() => streamOver(provider, feature.parts));
      if (given === undefined || !feature.kept(given)) return 'refused';
      return feature.kept(streamOver(caller, given)) ? 'yes' : 'lost';
    }
  }
}

function verdict(feature: Feature, isKept: () => boolean): Finding {
  try {
    if (isKept()) return 'yes';
  } catch (cause) {
    if (cause instanceof GatewayError && cause.status === 400) return 'refused';
    throw cause;
  }
  return 'hint' in feature ? 'hint' : 'lost';
}

/** Whether no provider that is best spoken to in this format takes addresses: the gateway gets what they name. */
function takesBytesAlone({ name }: Dialect): boolean {
  const spoken = providers.filter(({ dialects }) => dialects.chat?.[0] === name);
  return spoken.length > 0 && spoken.every((one) => !one.traits('m').supportsImageUrls);
}

function bytesArrive(said: NeutralRequest, provider: Dialect): boolean {
  const request = structuredClone(said);
  const named = mediaByAddress(request);
  for (const block of named) block.source = { kind: 'base64', mediaType: 'image/png', base64: fetched };
  return named.length > 0 && JSON.stringify(provider.request.encode(request, plainOptions)).includes(fetched);
}

const fetched = 'ZmV0Y2hlZA==';

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof GatewayError) return undefined;
    throw cause;
  }
}

function overTheWire(body: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(body)) as JsonObject;
}

function requestOver({ request }: Dialect, neutral: NeutralRequest, reasoningModel: boolean): NeutralRequest {
  const traits = { ...plainOptions.traits, reasoningModel };
  const options = { ...plainOptions, traits, model: neutral.model };
  return request.decode(overTheWire(request.encode(structuredClone(neutral), options)));
}

function answerOver({ response }: Dialect, neutral: Parameters<Dialect['response']['encode']>[0]) {
  return response.decode(overTheWire(response.encode(structuredClone(neutral), plainAnswer)));
}

function streamOver(dialect: Dialect, parts: readonly StreamPart[]): StreamPart[] {
  if (dialect.streamContentType === null) {
    // Where a provider has no streams, one is made of its whole answer.
    const answer = new AnswerAssembly();
    for (const part of parts) answer.add(part);
    return [...partsOf(answerOver(dialect, answer.response(undefined)))];
  }
  const bytes = encodedParts(dialect.streamEncoder(plainAnswer), structuredClone(parts) as StreamPart[]);
  const decoder = dialect.streamDecoder();
  const seen: StreamPart[] = [];
  decoder.push(bytes ?? Buffer.alloc(0), seen);
  decoder.end(seen);
  return seen;
}

import type { Dialect } from '../../src/core/dialect.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { NeutralRequest, StreamPart } from '../../src/core/neutral.ts';
import { encodedParts } from '../../src/gateway/streams/translated-stream.ts';
import { plainAnswer, plainOptions } from '../contract/dialect.ts';
import type { Feature } from './features.ts';

/**
 * `yes`: it arrives. `caller`: the caller's own format has no way to say it. `refused`: the provider's format has none, and
 * the caller is told so. `hint`: as refused, but left out silently, because it means nothing there (cache marks, another provider's signatures). `lost`: it should
 * never be so.
 */
export type Finding = 'yes' | 'caller' | 'refused' | 'hint' | 'lost';

/** Sends one feature from a caller's format to a provider's and back, over real bytes, and looks whether it is still there. */
export function observe(feature: Feature, caller: Dialect, provider: Dialect): Finding {
  switch (feature.kind) {
    case 'request': {
      const said = attempt(() => requestOver(caller, feature.ask, false));
      if (said === undefined || !feature.kept(said)) return 'caller';
      return verdict(feature, () => feature.kept(requestOver(provider, said, feature.reasons === true)));
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
  return feature.hint ? 'hint' : 'lost';
}

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
  const bytes = encodedParts(dialect.streamEncoder(plainAnswer), structuredClone(parts) as StreamPart[]);
  const decoder = dialect.streamDecoder();
  const seen: StreamPart[] = [];
  decoder.push(bytes ?? Buffer.alloc(0), seen);
  decoder.end(seen);
  return seen;
}

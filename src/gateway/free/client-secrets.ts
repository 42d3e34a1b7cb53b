import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Gateway } from '../gateway.ts';
import { answered, type FreeAnswer, type FreeCall } from './call.ts';
import { malformed } from './listing.ts';

/* `/v1/realtime/client_secrets`, and `/v1/realtime/sessions` as it was before: secrets for browsers. */

const secondsMin = 10;
const secondsMax = 7_200;
const secondsDefault = 600;
const secondsDefaultBefore = 60;
const members: ReadonlySet<string> = new Set(['expires_after', 'session']);

export async function createClientSecret(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const { body } = call;
  refuseForeign(body);
  const session = { type: 'realtime', ...objectIn(body, 'session', '') };
  if (session.type !== 'realtime' && session.type !== 'transcription') {
    throw malformed('session.type', 'expected realtime or transcription');
  }
  if (session.type === 'transcription') requireTranscriptModel(session, 'session.audio.input.transcription.model');
  const seconds = secondsIn(body, '', secondsDefault);
  const { value, expires_at } = secretFor(gateway, call, session, seconds, false);
  const object = session.type === 'realtime' ? 'realtime.session' : 'realtime.transcription_session';
  const told = { ...session, id: sessionId(call), object };
  return answered({ value, expires_at, session: told });
}

function refuseForeign(body: JsonObject): void {
  const foreign = Object.keys(body).find((name) => !members.has(name));
  if (foreign !== undefined) throw malformed(foreign, "not known here; what the session shall be belongs in 'session'");
}

/** For sessions that translate while they are spoken to. */
export async function createTranslationSecret(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const { body } = call;
  refuseForeign(body);
  const session = { ...objectIn(body, 'session', ''), type: 'translation' } as JsonObject;
  if (session.model === undefined) throw malformed('session.model', 'expected the name of a model');
  const { value, expires_at } = secretFor(gateway, call, session, secondsIn(body, '', secondsDefault), false);
  return answered({ value, expires_at, session: { ...session, id: sessionId(call), expires_at } });
}

export async function createSession(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const { client_secret: _wish, ...session } = call.body;
  const wish = objectIn(call.body, 'client_secret', '');
  const seconds = secondsIn(wish, 'client_secret.', secondsDefaultBefore);
  const secret = secretFor(gateway, call, session, seconds, true);
  return answered({ ...session, id: sessionId(call), object: 'realtime.session', client_secret: secret });
}

/** `/v1/realtime/transcription_sessions`, as sessions that only transcribe were made before. */
export async function createTranscriptionSession(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const { client_secret: _wish, ...session } = call.body;
  const { expires_at, ...rest } = objectIn(call.body, 'client_secret', '');
  // Its own documentation calls it so, where that of other sessions says `expires_after`.
  const wish = expires_at === undefined ? rest : { expires_after: expires_at };
  const seconds = secondsIn(wish, 'client_secret.', secondsDefaultBefore);
  requireTranscriptModel(session, 'input_audio_transcription.model');
  const secret = secretFor(gateway, call, { ...session, type: 'transcription' }, seconds, true);
  return answered({ ...session, id: sessionId(call), object: 'realtime.transcription_session', client_secret: secret });
}

/** Without a model nobody knows where the session goes. */
function requireTranscriptModel(session: JsonObject, where: string): void {
  const input = isJsonObject(session.audio) && isJsonObject(session.audio.input) ? session.audio.input : undefined;
  const transcript = input === undefined ? session.input_audio_transcription : input.transcription;
  const model = isJsonObject(transcript) ? transcript.model : undefined;
  if (typeof model !== 'string' || model === '') throw malformed(where, 'expected the name of a model');
}

export async function refuseCall(): Promise<never> {
  throw new GatewayError(
    'not_found',
    'WebRTC and SIP calls are not served: their sound would not pass through this gateway. Connect a WebSocket to ' +
      '/v1/realtime instead, in browsers with a client secret of POST /v1/realtime/client_secrets.',
  );
}

function secretFor(gateway: Gateway, call: FreeCall, session: JsonObject, seconds: number, isBeta: boolean) {
  const { model } = session;
  if (model !== undefined && (typeof model !== 'string' || model === '')) {
    throw malformed(isBeta ? 'model' : 'session.model', 'expected the name of a model');
  }
  const expires_at = Math.floor(gateway.clock.now() / 1_000) + seconds;
  const { masterKeyHash } = call.snapshot.settings;
  const secret = { keyId: call.principal.keyId, expiresAt: expires_at, session, isBeta };
  return { value: gateway.clientSecrets.seal(secret, masterKeyHash, gateway.chance.token(12)), expires_at };
}

function secondsIn(holder: JsonObject, where: string, otherwise: number): number {
  const { anchor, seconds } = objectIn(holder, 'expires_after', where);
  if (anchor !== undefined && anchor !== 'created_at') {
    throw malformed(`${where}expires_after.anchor`, 'expected created_at');
  }
  if (seconds === undefined) return otherwise;
  if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= secondsMin && seconds <= secondsMax) {
    return seconds;
  }
  throw malformed(
    `${where}expires_after.seconds`,
    `expected a whole number of seconds from ${secondsMin} to ${secondsMax}`,
  );
}

function objectIn(holder: JsonObject, name: string, where: string): JsonObject {
  const value = holder[name];
  if (value === undefined || value === null) return {};
  if (isJsonObject(value)) return value;
  throw malformed(`${where}${name}`, 'expected an object');
}

function sessionId({ id }: FreeCall): string {
  return `sess_${id.slice(-36).replaceAll(/[^A-Za-z0-9]/g, '')}`;
}

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
  const foreign = Object.keys(body).find((name) => !members.has(name));
  if (foreign !== undefined) throw malformed(foreign, "not known here; what the session shall be belongs in 'session'");
  const session = { type: 'realtime', ...objectIn(body, 'session', '') };
  if (session.type === 'transcription') throw noTranscriptions('session.type');
  if (session.type !== 'realtime') throw malformed('session.type', 'expected realtime');
  const seconds = secondsIn(body, '', secondsDefault);
  const { value, expires_at } = secretFor(gateway, call, session, seconds, false);
  const told = { ...session, id: sessionId(call), object: 'realtime.session' };
  return answered({ value, expires_at, session: told });
}

export async function createSession(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const { client_secret: _wish, ...session } = call.body;
  const wish = objectIn(call.body, 'client_secret', '');
  const seconds = secondsIn(wish, 'client_secret.', secondsDefaultBefore);
  const secret = secretFor(gateway, call, session, seconds, true);
  return answered({ ...session, id: sessionId(call), object: 'realtime.session', client_secret: secret });
}

export async function refuseTranscriptionSession(): Promise<never> {
  throw noTranscriptions();
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

function noTranscriptions(param?: string): GatewayError {
  return new GatewayError(
    'unsupported_parameter',
    'Realtime sessions that only transcribe are not served: they have no turns that could be charged. Send recordings ' +
      'to /v1/audio/transcriptions.',
    param === undefined ? {} : { param },
  );
}

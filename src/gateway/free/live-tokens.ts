import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type { Gateway } from '../gateway.ts';
import { sealedToken } from '../session/live-tokens.ts';
import { answered, type FreeAnswer, type FreeCall } from './call.ts';
import { malformed } from './listing.ts';

/* `/v1alpha/auth_tokens`, where Google's clients ask for tokens of browsers. https://ai.google.dev/api/live#CreateAuthToken */

const minuteMs = 60_000;
const opensForMs = minuteMs;
const endsAfterMs = 30 * minuteMs;
const farthestMs = 20 * 60 * minuteMs;
const usesMax = 100;
const members: ReadonlySet<string> = new Set(
  'expireTime newSessionExpireTime uses bidiGenerateContentSetup fieldMask'.split(' '),
);

export async function createLiveToken(gateway: Gateway, call: FreeCall): Promise<FreeAnswer> {
  const { body, principal, snapshot } = call;
  const foreign = Object.keys(body).find((name) => !members.has(name));
  if (foreign !== undefined) throw malformed(foreign, `not known here; expected one of ${[...members].join(', ')}`);
  const now = gateway.clock.now();
  const uses = body.uses ?? 1;
  if (typeof uses !== 'number' || !Number.isInteger(uses) || uses < 0 || uses > usesMax) {
    throw malformed('uses', `expected a whole number from 0, which is without a limit, to ${usesMax}`);
  }
  if (uses > 0 && gateway.idempotency === null) {
    throw malformed('uses', 'this gateway keeps no count of uses: expected 0, which is without a limit');
  }
  const setup = setupIn(body.bidiGenerateContentSetup);
  const mask = body.fieldMask ?? null;
  if (mask !== null && typeof mask !== 'string')
    throw malformed('fieldMask', 'expected names with commas between them');
  const token = {
    keyId: principal.keyId,
    opensUntil: timeIn(body.newSessionExpireTime, 'newSessionExpireTime', now, opensForMs),
    endsAt: timeIn(body.expireTime, 'expireTime', now, endsAfterMs),
    uses,
    setup,
    mask,
  };
  return answered({ name: sealedToken(gateway, token, snapshot) });
}

function setupIn(given: Json | undefined): JsonObject | null {
  if (given === undefined || given === null) return null;
  if (!isJsonObject(given)) throw malformed('bidiGenerateContentSetup', 'expected an object');
  const { model } = given;
  if (model !== undefined && (typeof model !== 'string' || model === '')) {
    throw malformed('bidiGenerateContentSetup.model', 'expected the name of a model');
  }
  return given;
}

function timeIn(given: Json | undefined, name: string, now: number, otherwiseMs: number): number {
  if (given === undefined || given === null) return now + otherwiseMs;
  const at = typeof given === 'string' && /^\d{4}-\d\d-\d\dT/.test(given) ? Date.parse(given) : Number.NaN;
  if (at > now && at <= now + farthestMs) return at;
  throw malformed(name, 'expected a time such as 2026-01-31T10:00:00Z, in the next 20 hours');
}

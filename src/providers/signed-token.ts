import { createPrivateKey, sign } from 'node:crypto';
import type { JsonObject } from '../core/json.ts';
import { isJsonObject } from '../core/json.ts';
import { type Outside, OutsideError, type OutsideRequest } from '../core/ports.ts';
import { AuthorizationError } from '../core/provider.ts';
import type { Expiring } from '../core/token-source.ts';

/** A JSON Web Token signed with RSA and SHA-256. Throws AuthorizationError for a key that is none. */
export function signedToken(claims: JsonObject, privateKey: string, header: JsonObject = {}): string {
  const part = (value: JsonObject) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'RS256', typ: 'JWT', ...header })}.${part(claims)}`;
  try {
    return `${text}.${sign('sha256', Buffer.from(text), createPrivateKey(privateKey)).toString('base64url')}`;
  } catch {
    throw new AuthorizationError('the private key cannot be read: expected PEM');
  }
}

/** Asks an identity service for a JSON object; `what` names it in errors. */
export async function askedJson(outside: Outside, what: string, request: OutsideRequest): Promise<JsonObject> {
  let answer: { readonly status: number; readonly body: string };
  try {
    answer = await outside.send(request);
  } catch (cause) {
    if (!(cause instanceof OutsideError)) throw cause;
    throw new AuthorizationError(`${what} cannot be reached: ${cause.message}`, true);
  }
  const body = parsed(answer.body);
  if (answer.status < 200 || answer.status >= 300) {
    const code = typeof body?.error === 'string' && /^[\w.-]{1,80}$/.test(body.error) ? ` (${body.error})` : '';
    throw new AuthorizationError(`${what} answered ${answer.status}${code}`, answer.status >= 500);
  }
  if (body === undefined) throw new AuthorizationError(`${what} answered with something else than JSON`);
  return body;
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A form as OAuth services take it. */
export function form(address: string, fields: Record<string, string>, headers: readonly string[] = []): OutsideRequest {
  return {
    method: 'POST',
    address,
    headers: ['content-type', 'application/x-www-form-urlencoded', 'accept', 'application/json', ...headers],
    body: new URLSearchParams(fields).toString(),
  };
}

/** The token in the answer of an OAuth service. */
export function tokenIn(body: JsonObject, what: string, now: number): Expiring<string> {
  const { access_token: token, expires_in: seconds } = body;
  if (typeof token !== 'string' || token === '') throw new AuthorizationError(`${what} answered without a token`);
  const lifetime = Number(seconds);
  return { value: token, expiresAt: now + (Number.isFinite(lifetime) && lifetime > 0 ? lifetime : 3_600) * 1_000 };
}

export async function fileText(outside: Outside, what: string, path: string): Promise<string> {
  try {
    return await outside.readFile(path);
  } catch (cause) {
    if (!(cause instanceof OutsideError)) throw cause;
    throw new AuthorizationError(`${what}: ${cause.message}`);
  }
}

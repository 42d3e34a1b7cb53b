import { hash } from 'node:crypto';
import { GatewayError } from '../../core/errors.ts';
import type { CallerHeaders } from '../../core/exchange.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { Snapshot } from '../../core/route.ts';
import { clientSecretPrefix } from '../access/credential.ts';
import { fromStore } from '../authenticate.ts';
import type { Gateway } from '../gateway.ts';
import type { ClientSecret } from './client-secrets.ts';

/*
 * Tokens for browsers that talk to Google's Live API (https://ai.google.dev/api/live#ephemeral-auth-tokens): client
 * secrets under Google's name for them. How often one was used stands with the idempotency keys, so that every replica knows.
 */

const prefix = 'auth_tokens/';

export interface LiveToken {
  readonly keyId: string;
  /** Unix milliseconds: until when sessions may begin, and when those that have begun end. */
  readonly opensUntil: number;
  readonly endsAt: number;
  /** 0 = as often as it likes. */
  readonly uses: number;
  readonly setup: JsonObject | null;
  /** What of the setup is not the browser's to choose; null where nothing of it is. */
  readonly mask: string | null;
}

export function sealedToken(gateway: Gateway, token: LiveToken, { settings }: Snapshot): string {
  const { keyId, opensUntil, ...rest } = token;
  const session = { ...rest } as unknown as JsonObject;
  const secret: ClientSecret = { keyId, expiresAt: Math.ceil(opensUntil / 1_000), session, isBeta: false };
  const sealed = gateway.clientSecrets.seal(secret, purpose(settings.masterKeyHash), gateway.chance.token(12));
  return prefix + sealed.slice(clientSecretPrefix.length);
}

/** Sealed for this alone: neither kind of secret is good for the sessions of the other. */
function purpose(masterKeyHash: string | null): string {
  return `live:${masterKeyHash ?? ''}`;
}

/**
 * The token that a browser presents, one use of it taken; null where it presents none. Rejects with a GatewayError for one
 * that is not ours, was altered, has expired or is used up.
 */
export async function presentedToken(
  gateway: Gateway,
  headers: CallerHeaders,
  query: string,
): Promise<LiveToken | null> {
  const text = textOf(headers, query);
  if (text === null) return null;
  const now = gateway.clock.now();
  const { masterKeyHash } = gateway.snapshot().settings;
  const sealed = clientSecretPrefix + text.slice(prefix.length);
  const { keyId, expiresAt, session } = gateway.clientSecrets.open(sealed, purpose(masterKeyHash), now);
  const { endsAt, uses, setup, mask } = session as unknown as LiveToken;
  const token = { keyId, opensUntil: expiresAt * 1_000, endsAt, uses, setup, mask };
  await takeUse(gateway, token, text, now);
  return token;
}

function textOf(headers: CallerHeaders, query: string): string | null {
  const inQuery = new URLSearchParams(query).get('access_token');
  if (inQuery?.startsWith(prefix)) return inQuery;
  const { authorization, 'x-goog-api-key': key } = headers;
  const inHeader = typeof authorization === 'string' ? authorization.replace(/^(?:Token|Bearer)\s+/i, '') : key;
  return typeof inHeader === 'string' && inHeader.startsWith(prefix) ? inHeader : null;
}

async function takeUse({ idempotency, chance }: Gateway, token: LiveToken, text: string, now: number): Promise<void> {
  const requestId = chance.id();
  for (let use = 1; use <= token.uses; use += 1) {
    const claim = {
      key: hash('sha256', `live token\n${text}\n${use}`, 'hex'),
      fingerprint: '',
      requestId,
      now,
      runningUntil: token.opensUntil,
      expiresAt: token.opensUntil,
    };
    const taken = await fromStore(() => idempotency!.claim(claim));
    if (taken.requestId === requestId) return;
  }
  if (token.uses > 0) {
    throw new GatewayError(
      'expired_key',
      `Authentication Error, this token was used ${token.uses} times, as often as it may.`,
    );
  }
}

/** The first message of a browser, with what its token decides in the place of what it says; as it is where that is nothing. */
export function constrained(text: string, { setup, mask }: LiveToken): string {
  if (setup === null && mask === null) return text;
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return text;
  }
  if (!isJsonObject(message) || !isJsonObject(message.setup)) return text;
  const decided = setup ?? {};
  const chosen: JsonObject = mask === null ? { ...decided } : { ...message.setup };
  for (const path of mask?.split(',') ?? []) decide(chosen, decided, path.trim().split('.'));
  // A token for a model is for no other one.
  if (decided.model !== undefined) chosen.model = decided.model;
  return JSON.stringify({ ...message, setup: chosen });
}

/** `member` or `member.member`: as the token has it, absent where it has it not. */
function decide(chosen: JsonObject, decided: JsonObject, [name = '', ...rest]: string[]): void {
  for (const spelled of new Set([name, snake(name), camel(name)])) {
    if (rest.length === 0) {
      delete chosen[spelled];
      if (decided[spelled] !== undefined) chosen[spelled] = decided[spelled];
      continue;
    }
    const within = decided[spelled];
    const own = chosen[spelled];
    if (!isJsonObject(within) && !isJsonObject(own)) continue;
    const copy = isJsonObject(own) ? { ...own } : {};
    decide(copy, isJsonObject(within) ? within : {}, rest);
    chosen[spelled] = copy;
  }
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function camel(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

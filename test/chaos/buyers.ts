import { Agent } from 'undici';
import { price } from './price.ts';
import type { Replica } from './replica.ts';
import type { Rig } from './rig.ts';
import { pause } from './row.ts';

/** One request as its caller saw it. Times are of this process's monotonic clock. */
export interface Purchase {
  readonly ref: string;
  readonly model: string;
  readonly maxTokens: number;
  readonly startedAt: number;
  endedAt: number;
  /** null when the connection broke before there was a status. */
  status: number | null;
  /** True when the answer came to its end. */
  isWhole: boolean;
  body: string;
}

export interface Wish {
  readonly key: string;
  readonly maxTokens: number;
  readonly model?: string;
  /** Stands in the prompt, and so on the invoice; a new one when left out. */
  readonly ref?: string;
  readonly stream?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the body. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
}

const agent = new Agent({ connections: 400, headersTimeout: 60_000, bodyTimeout: 60_000 });

/** Sends one request and reads its answer to the end. Never throws: a broken connection is an outcome, too. */
export async function buy(rig: Rig, replica: Replica, wish: Wish): Promise<Purchase> {
  const { key, maxTokens, model = price.model, stream = false } = wish;
  const ref = wish.ref ?? `r${rig.next()}`;
  const purchase: Purchase = {
    ref,
    model,
    maxTokens,
    startedAt: performance.now(),
    endedAt: 0,
    status: null,
    isWhole: false,
    body: '',
  };
  try {
    const answer = await agent.request({
      origin: replica.url,
      path: '/v1/chat/completions',
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'x-litellm-call-id': ref,
        ...wish.headers,
      },
      body: JSON.stringify({
        model,
        max_tokens: maxTokens,
        stream,
        messages: [{ role: 'user', content: `Tell me more. [[ref:${ref}]]` }],
        ...wish.body,
      }),
      ...(wish.signal === undefined ? {} : { signal: wish.signal }),
    });
    purchase.status = answer.statusCode;
    purchase.body = await answer.body.text();
    purchase.isWhole = !stream || answer.statusCode !== 200 || purchase.body.trimEnd().endsWith('data: [DONE]');
  } catch {
    // The status says how far it came.
  }
  purchase.endedAt = performance.now();
  return purchase;
}

export interface Crowd {
  readonly clients: number;
  /** The n-th request of a client; null ends the client. */
  wish(client: number, turn: number): Wish | null;
  /** Which replica it goes to; by default they take turns. */
  replica?(client: number, turn: number): Replica;
  /** Between the end of one request and the next; 0 when left out. */
  readonly pauseMs?: number;
  /** Ends the crowd early. */
  isOver?(): boolean;
}

/** Clients that ask one request after the other. Resolves to all that they sent. */
export async function crowd(rig: Rig, { clients, wish, replica, isOver, pauseMs = 0 }: Crowd): Promise<Purchase[]> {
  const purchases: Purchase[] = [];
  const client = async (number: number) => {
    for (let turn = 0; isOver?.() !== true; turn++) {
      const wanted = wish(number, turn);
      if (wanted === null) return;
      const target = replica?.(number, turn) ?? rig.replicas[(number + turn) % rig.replicas.length]!;
      const purchase = await buy(rig, target, wanted);
      purchases.push(purchase);
      // A dead replica refuses connections faster than it can start again.
      const restMs = purchase.status === null ? Math.max(20, pauseMs) : pauseMs;
      if (restMs > 0) await pause(restMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  return purchases;
}

export interface Tenant {
  readonly key: string;
  readonly team: string;
  readonly user: string;
  readonly organization: string;
  readonly tag: string;
}

export interface Caps {
  /** Whole nano-dollars; left out = no cap. */
  readonly key?: number;
  readonly team?: number;
  readonly user?: number;
  readonly organization?: number;
}

/**
 * A key with a user, a team, an organization and a tag above it, of its own. With a cap on the user the key belongs to no
 * team: what a team pays for does not stop at its user's budget.
 */
export async function makeTenant(
  rig: Rig,
  caps: Caps,
  extra: Readonly<Record<string, unknown>> = {},
  window = '30d',
): Promise<Tenant> {
  const admin = rig.replicas.find(({ isUp }) => isUp)!;
  const number = rig.next();
  const budget = (cap: number | undefined) =>
    cap === undefined ? {} : { max_budget: cap / 1e9, budget_duration: window };
  const organization = await admin.admin('/organization/new', {
    organization_alias: `organization-${number}`,
    models: [],
    ...budget(caps.organization),
  });
  const organizationId = String(organization.organization_id);
  const team = await admin.admin('/team/new', {
    team_alias: `team-${number}`,
    organization_id: organizationId,
    ...budget(caps.team),
  });
  const userId = `user-${number}`;
  await admin.admin('/user/new', { user_id: userId, auto_create_key: false, ...budget(caps.user) });
  const tag = `tag-${number}`;
  const made = await admin.admin('/key/generate', {
    ...(caps.user === undefined ? { team_id: team.team_id } : {}),
    user_id: userId,
    metadata: { tags: [tag] },
    ...budget(caps.key),
    ...extra,
  });
  return { key: String(made.key), team: String(team.team_id), user: userId, organization: organizationId, tag };
}

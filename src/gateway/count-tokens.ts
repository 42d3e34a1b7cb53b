import { GatewayError } from '../core/errors.ts';
import type { Planned, Reply } from '../core/exchange.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { editMembers } from '../core/json-members.ts';
import { upstreamModel } from './call/translate.ts';
import { askProvider } from './free/ask-provider.ts';
import type { Gateway } from './gateway.ts';
import { claimsOf, limitsOf } from './limits/limits.ts';
import { rateLimited } from './limits/rate-refusal.ts';
import type { Counting } from './operations.ts';
import { fieldsToStrip } from './receive/gateway-fields.ts';
import type { Start } from './receive.ts';
import { nothingBought } from './record/free-outcome.ts';
import { recordOfCount } from './record/request-row.ts';
import { tell } from './record.ts';
import { noOrigin } from './refuse.ts';
import { headerLinesOf } from './reply-headers.ts';

/** What a picture is taken for where nobody can say: the most that its common formats become. */
const imageTokens = 1_600;
/** What each message adds to its text. */
const messageTokens = 4;

/**
 * How many tokens a request is, without sending it to a model: by the provider where it speaks the caller's format, which
 * knows best, else by our own count. It costs nothing, so no money is held; it counts as a request to every rate limit, and
 * leaves its row.
 */
export async function countTokens(
  gateway: Gateway,
  start: Start,
  planned: Planned,
  counting: Counting,
): Promise<Reply> {
  const found = limitsOf(gateway, planned);
  const { rates } = found instanceof Promise ? await found : found;
  const claims = claimsOf(
    planned,
    rates.filter(({ metric }) => metric !== 'tokens'),
  );
  const claimed = claims.length === 0 ? null : await gateway.limiter.reserve(planned.id, claims);
  if (claimed !== null && 'rule' in claimed) throw rateLimited(claimed, gateway.clock.now());
  try {
    const answer =
      (await countedByProvider(gateway, planned, counting)) ?? counting.answer(await counted(gateway, planned));
    const row = recordOfCount(gateway, start, planned);
    gateway.ledger.record(row);
    tell(gateway, row, planned);
    const body = Buffer.from(JSON.stringify(answer));
    const headerLines = headerLinesOf(gateway, { start, journey: planned, origin: noOrigin, cost: null });
    const outcome = Promise.resolve(nothingBought(200, row.endedAt));
    return { status: 200, headers: ['content-type', 'application/json'], headerLines, body, origin: noOrigin, outcome };
  } finally {
    if (claimed !== null) gateway.limiter.settle(planned.id, claimed, { inputTokens: 0, outputTokens: 0 });
  }
}

/** null where nobody speaks the format, or whoever does cannot be asked now. */
async function countedByProvider(gateway: Gateway, planned: Planned, counting: Counting): Promise<JsonObject | null> {
  const { dialect, route, headers } = planned;
  const deployment = route.primary.candidates.find(
    (one) => one.provider.dialects.chat?.includes(dialect.name) && !gateway.health.isCoolingDown(one),
  );
  if (deployment === undefined) return null;
  const model = upstreamModel(deployment, route.primary.wildcardMatches);
  const [path = '', query] = deployment.endpoint.path(dialect.name, model, false).split('?', 2);
  const forwarded = ['anthropic-beta', 'anthropic-version'].flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [name, Array.isArray(value) ? value.join(',') : value];
  });
  try {
    return await askProvider(gateway, deployment, dialect, {
      method: 'POST',
      path: counting.path(path) + (query === undefined ? '' : `?${query}`),
      body: bodyFor(planned, model),
      headers: forwarded,
    });
  } catch (cause) {
    if (!(cause instanceof GatewayError)) throw cause;
    // What is wrong with the request is the caller's to hear; for the rest we count ourselves.
    if (cause.code === 'upstream_bad_request' || cause.code === 'context_window_exceeded') throw cause;
    gateway.log.debug('tokens are counted here: the provider does not', { model, reason: cause.message });
    return null;
  }
}

function bodyFor({ body, bytes, dialect }: Planned, model: string): Buffer {
  // Where the path names the model, the body does not.
  const edits = new Map<string, unknown>(Object.hasOwn(body, 'model') ? [['model', model]] : []);
  for (const name of fieldsToStrip(body, dialect.name)) if (Object.hasOwn(body, name)) edits.set(name, undefined);
  return editMembers(bytes, edits);
}

const textFields = [
  ...['system', 'instructions', 'messages', 'input', 'tools', 'tool_choice', 'output_config', 'text'],
  ...['contents', 'systemInstruction'],
];

async function counted(gateway: Gateway, { body, facts, model }: Planned): Promise<number> {
  const found: Found = { texts: [], images: 0 };
  for (const name of textFields) collect(body[name], found);
  const turns = [body.messages, body.input, body.contents].find(Array.isArray)?.length ?? 1;
  const { tokens } = await gateway.tokens.count(found.texts.join('\n'), facts.model ?? model);
  return tokens + messageTokens * turns + imageTokens * found.images;
}

interface Found {
  readonly texts: string[];
  images: number;
}

/** Every text the model reads; pictures and files by their number, not by the length of their bytes. */
function collect(value: Json | undefined, found: Found): void {
  if (typeof value === 'string') {
    if (value.startsWith('data:')) found.images += 1;
    else found.texts.push(value);
  } else if (Array.isArray(value)) {
    for (const entry of value) collect(entry, found);
  } else if (isJsonObject(value)) {
    if (value.type === 'base64' && typeof value.data === 'string') {
      found.images += 1;
      return;
    }
    for (const [name, entry] of Object.entries(value)) {
      if (isJsonObject(entry) || Array.isArray(entry)) found.texts.push(name);
      collect(entry, found);
    }
  }
}

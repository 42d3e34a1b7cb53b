import type { ByteSink, ByteSource, Planned, Recall, Reply } from '../../core/exchange.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import type { KeptObject } from '../../core/ports.ts';
import { decodeLatin1, EventReader, EventSplitter } from '../../core/server-sent-events.ts';
import type { Gateway } from '../gateway.ts';
import { itemKind, withId } from './conversation-items.ts';
import type { ConnectionMemory } from './recall.ts';
import type { KeptAnswer } from './shelf.ts';

export const answerKind = 'answer';

/**
 * Keeps what may be gone on from: an answer whose provider keeps nothing, the items of a conversation, and what the
 * connection itself remembers. A whole answer is kept before it leaves, a stream's while its last event does.
 */
export async function keepAnswer(
  gateway: Gateway,
  exchange: Planned,
  reply: Reply,
  memory: ConnectionMemory | null,
): Promise<Reply> {
  const { recall, dialect } = exchange;
  const { continuation } = dialect;
  if (recall === null || continuation === undefined || reply.status !== 200) return reply;
  const keepsItself = gateway.kept !== null && recall.wishes.keeps;
  if (!keepsItself && recall.conversationId === null && memory === null) return reply;
  const keep = (answer: JsonObject) => kept(gateway, exchange, recall, answer, continuation.output(answer), memory);
  if (reply.body instanceof Uint8Array) {
    const answer = wholeAnswer(reply, continuation.lastAnswer);
    if (answer !== undefined) await keep(answer);
    return reply;
  }
  return { ...reply, body: watched(reply.body, continuation.lastAnswer, (answer) => void keep(answer)) };
}

async function kept(
  gateway: Gateway,
  exchange: Planned,
  recall: Recall,
  answer: JsonObject,
  output: readonly JsonObject[],
  memory: ConnectionMemory | null,
): Promise<void> {
  const { id } = answer;
  if (memory !== null && recall.remembered !== null && typeof id === 'string') {
    memory.remember(id, [...recall.remembered, ...output]);
  }
  const objects = [
    ...(id === recall.ownId && recall.wishes.keeps ? [keptAnswer(gateway, exchange, recall, answer, output)] : []),
    ...(recall.conversationId === null ? [] : conversationItems(gateway, exchange, recall, output)),
  ];
  if (objects.length === 0 || gateway.kept === null) return;
  await gateway.kept.put(objects).catch((cause: Error) => {
    gateway.log.warn('an answer could not be kept', { requestId: exchange.id, reason: cause.message });
  });
}

export function keptAnswer(
  { clock }: Gateway,
  { snapshot }: Planned,
  recall: Recall,
  answer: JsonObject,
  output: readonly JsonObject[],
  runningUntil?: number,
): KeptObject {
  const now = clock.now();
  const told: KeptAnswer = {
    previousId: recall.thread === null ? null : recall.previousId,
    items: recall.items.map((item, index) => withId(item, `${recall.ownId.slice(6)}i${index}`)),
    output,
    answer,
    ...(runningUntil === undefined ? {} : { runningUntil }),
  };
  return {
    id: recall.ownId,
    kind: answerKind,
    owner: recall.owner,
    parent: recall.thread,
    position: now,
    body: JSON.stringify(told),
    expiresAt: now + snapshot.settings.keptAnswers.keptMs,
  };
}

function conversationItems(
  { clock }: Gateway,
  { snapshot }: Planned,
  recall: Recall,
  output: readonly JsonObject[],
): KeptObject[] {
  const now = clock.now();
  return [...recall.items, ...output].map((item, index) => {
    const named = withId(item, `${recall.ownId.slice(6)}c${index}`);
    return {
      id: String(named.id),
      kind: itemKind,
      owner: recall.owner,
      parent: recall.conversationId,
      position: now * 1_000 + index,
      body: JSON.stringify(named),
      expiresAt: now + snapshot.settings.keptAnswers.keptMs,
    };
  });
}

type LastAnswer = (data: string) => JsonObject | undefined;

/** The answer in one body: itself, or what the last event of a stream that was ready holds. */
function wholeAnswer({ body, headers }: Reply, lastAnswer: LastAnswer): JsonObject | undefined {
  const bytes = Buffer.from(body as Uint8Array);
  if ((headers[headers.indexOf('content-type') + 1] ?? '').startsWith('text/event-stream')) {
    return new LastEvent(lastAnswer).push(bytes);
  }
  try {
    const answer: unknown = JSON.parse(bytes.toString());
    return isJsonObject(answer) ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** Looks for the event that holds the whole answer. */
class LastEvent {
  readonly #lastAnswer: LastAnswer;
  readonly #splitter = new EventSplitter();
  readonly #reader = new EventReader();

  constructor(lastAnswer: LastAnswer) {
    this.#lastAnswer = lastAnswer;
  }

  push(chunk: Uint8Array): JsonObject | undefined {
    const whole = this.#splitter.push(chunk);
    if (whole === null) return undefined;
    this.#reader.open(whole.toString('latin1'));
    while (this.#reader.next()) {
      const { data } = this.#reader;
      const answer = data === null ? undefined : this.#lastAnswer(decodeLatin1(data));
      if (answer !== undefined) return answer;
    }
    return undefined;
  }
}

/** The same stream; `onAnswer` hears of the whole answer before the client does. */
function watched(source: ByteSource, lastAnswer: LastAnswer, onAnswer: (answer: JsonObject) => void): ByteSource {
  const last = new LastEvent(lastAnswer);
  return {
    start: (sink) =>
      source.start({
        write: (chunk) => {
          const answer = last.push(chunk);
          if (answer !== undefined) onAnswer(answer);
          return sink.write(chunk);
        },
        end: () => sink.end(),
        destroy: () => sink.destroy(),
      } satisfies ByteSink),
    resume: () => source.resume(),
    cancel: () => source.cancel(),
    interrupt: (error) => source.interrupt(error),
  };
}

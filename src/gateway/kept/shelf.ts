import type { Principal } from '../../core/identity.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Clock, KeptObject, ObjectStore } from '../../core/ports.ts';
import type { GatewaySettings } from '../../core/route.ts';
import { fromStore } from '../authenticate.ts';

/** An answer that was just given by another process may still be on its way into the store. */
const patienceMs = 300;
const lookMs = 50;

/** An answer with what was asked for it. */
export interface KeptAnswer {
  /** The answer this one went on from; null for the first of a thread. */
  readonly previousId: string | null;
  readonly items: readonly JsonObject[];
  readonly output: readonly JsonObject[];
  /** As the caller got it. */
  readonly answer: JsonObject;
  /** Of work in the background: until when its process must have ended it, unix milliseconds. */
  readonly runningUntil?: number;
}

export interface KeptThread {
  readonly root: string;
  readonly items: readonly JsonObject[];
  /** Its last answer is worked on in the background, or was until its process died. */
  readonly isUnfinished: boolean;
}

/** Whose a kept answer is: the team's, for a key that belongs to one. */
export function ownerOf({ teamId, keyId }: Pick<Principal, 'teamId' | 'keyId'>): string {
  return teamId === null ? `key:${keyId}` : `team:${teamId}`;
}

/** Whose a kept answer or conversation is: everybody's, where the operator says so. */
export function answerOwnerOf(
  { answersAreEverybodys }: Pick<GatewaySettings, 'answersAreEverybodys'>,
  principal: Pick<Principal, 'teamId' | 'keyId'>,
): string {
  return answersAreEverybodys ? 'everybody' : ownerOf(principal);
}

/** Answers and conversations that the gateway keeps. A foreign id is like one that was never given. */
export class Shelf {
  readonly #objects: ObjectStore;
  readonly #clock: Clock;
  /** Writes under way: whoever has an answer may go on from it at once. */
  readonly #writing = new Map<string, Promise<void>>();

  constructor(objects: ObjectStore, clock: Clock) {
    this.#objects = objects;
    this.#clock = clock;
  }

  put(objects: readonly KeptObject[]): Promise<void> {
    const written = Promise.resolve(fromStore(() => this.#objects.put(objects)));
    const settled = written.catch(() => undefined);
    for (const { id } of objects) this.#writing.set(id, settled);
    void settled.then(() => {
      for (const { id } of objects) if (this.#writing.get(id) === settled) this.#writing.delete(id);
    });
    return written;
  }

  /** `waits`: it was given out, so it must come; look again for a moment. */
  async find(owner: string, id: string, waits = false): Promise<KeptObject | undefined> {
    await this.#writing.get(id);
    for (let waitedMs = 0; ; waitedMs += lookMs) {
      const found = await fromStore(() => this.#objects.get(id));
      if (found !== undefined) return this.#isTheirs(found, owner) ? found : undefined;
      if (!waits || waitedMs >= patienceMs) return undefined;
      await new Promise<void>((resolve) => this.#clock.setTimer(lookMs, resolve));
    }
  }

  /** What belongs to a conversation or thread, in order. */
  async children(owner: string, parent: string): Promise<readonly KeptObject[]> {
    await this.#writing.get(parent);
    const found = await fromStore(() => this.#objects.children(parent));
    return found.filter((object) => this.#isTheirs(object, owner));
  }

  remove(ids: readonly string[]): Promise<number> {
    return Promise.resolve(fromStore(() => this.#objects.remove(ids)));
  }

  /** All items up to an answer, oldest first, along the answers it went on from. undefined when there is no such answer. */
  async thread(owner: string, id: string): Promise<KeptThread | undefined> {
    const last = await this.find(owner, id, true);
    if (last === undefined) return undefined;
    const root = last.parent ?? last.id;
    const answers = new Map<string, KeptAnswer>([[last.id, answerOf(last)]]);
    if (last.parent !== null) {
      const first = await this.find(owner, root);
      if (first !== undefined) answers.set(root, answerOf(first));
      for (const object of await this.children(owner, root)) answers.set(object.id, answerOf(object));
    }
    const items: JsonObject[][] = [];
    for (let at: string | null = id; at !== null; ) {
      const answer = answers.get(at);
      // What was deleted from the middle of a thread is gone from it.
      if (answer === undefined) break;
      answers.delete(at);
      items.unshift([...answer.items, ...answer.output]);
      at = answer.previousId;
    }
    return { root, items: items.flat(), isUnfinished: answerOf(last).runningUntil !== undefined };
  }

  #isTheirs({ owner, expiresAt }: KeptObject, asking: string): boolean {
    return owner === asking && expiresAt > this.#clock.now();
  }
}

export function answerOf({ body }: KeptObject): KeptAnswer {
  return JSON.parse(body) as KeptAnswer;
}

import type { AccountRef, Recalls } from '../../src/core/books.ts';
import type { Nanodollars } from '../../src/core/money.ts';
import { matchRoute } from '../../src/gateway/operations.ts';
import { serve } from '../../src/gateway/pipeline.ts';
import { FakeClock } from './fake-clock.ts';
import { Journey } from './journey.ts';
import { MemoryDisk } from './memory-journals.ts';
import { ModelBooks } from './model-books.ts';
import { Oracle } from './oracle.ts';
import { anyRates, type PriceList, priceList, stopsOnHangup } from './price-lists.ts';
import { type Call, SimulatedProvider } from './provider.ts';
import { Replica, type Surroundings } from './replica.ts';
import { SeededChance } from './seeded-chance.ts';
import { Tenants } from './tenants.ts';

/** In what one run of a seed differs from another. */
export interface Variation {
  readonly replicas: number;
  /** All prices are so many times as high. */
  readonly factor: number;
  readonly hasCaps: boolean;
  /** Which budget is without its cap; null = none. */
  readonly without: number | null;
  /**
   * null: each request comes to its end before the next one is made. Else all are made first, and this is the seed by which
   * their answers arrive in between each other.
   */
  readonly order: number | null;
}

/** What is left when all is over. */
export interface Outcome {
  /** Status and cost of each request, in the order in which they were made. */
  readonly requests: readonly { readonly name: string; readonly status: string; readonly cost: Nanodollars }[];
  readonly spent: ReadonlyMap<string, Nanodollars>;
}

const requestCount = 24;
/** Longer than a request waits for the slices of other replicas. */
const stepMs = 3_000;
/** Never at the edge of a window, whichever request it is. */
const beginning = Date.parse('2027-04-30T21:59:01.500Z');

/** Plays one seed without any fault: the same requests, answers and times, whatever the variation. */
export async function playQuietly(seed: number, variation: Variation): Promise<Outcome> {
  return new QuietWorld(seed, variation).play();
}

class QuietWorld {
  readonly #seed: number;
  readonly #variation: Variation;
  readonly #clock = new FakeClock(beginning);
  readonly #books = new ModelBooks();
  readonly #tenants: Tenants;
  readonly #prices: PriceList;
  readonly #oracle: Oracle;
  readonly #provider: SimulatedProvider;
  readonly #replicas: readonly Replica[];
  readonly #journeys = new Map<string, Journey>();
  /** Of the request that is made now. */
  #route = 0;
  #violation: unknown;

  constructor(seed: number, variation: Variation) {
    this.#seed = seed;
    this.#variation = variation;
    this.#tenants = new Tenants(this.#chanceOf('tenants'), false);
    const rules = [...this.#tenants.rules];
    for (const [index, rule] of rules.entries()) {
      if (!variation.hasCaps || index === variation.without) this.#tenants.change(rule, { ...rule, cap: null });
    }
    const settings = { clamps: false, caches: false, hasUnpriced: false, budgets: [] };
    const { factor } = variation;
    this.#prices = priceList(this.#chanceOf('prices'), settings, (chance) => {
      const { input, cacheRead, output, reasoning, perRequest } = anyRates(chance);
      return {
        input: input * factor,
        cacheRead: cacheRead * factor,
        output: output * factor,
        reasoning: reasoning * factor,
        perRequest: perRequest * factor,
      };
    });
    const alone = variation.replicas === 1;
    const now = () => this.#clock.now();
    this.#oracle = new Oracle(
      this.#books,
      alone,
      now,
      () => false,
      () => false,
    );
    this.#provider = new SimulatedProvider({
      chanceOf: (name) => this.#chanceOf(name),
      breaches: false,
      alwaysAnswers: true,
      stopsOnHangup,
      requestOf: (body) => this.#requestOf(body),
      begun: (call) => this.#begun(call),
    });
    const surroundings = this.#surroundings(alone);
    this.#replicas = Array.from({ length: variation.replicas }, () => new Replica(surroundings));
  }

  /** The same whatever else happens in the run. */
  #chanceOf(name: string): SeededChance {
    let state = this.#seed;
    for (let at = 0; at < name.length; at++) state = Math.imul(state ^ name.charCodeAt(at), 0x01000193);
    return new SeededChance(state);
  }

  #surroundings(alone: boolean): Surroundings {
    const chance = this.#chanceOf('ids');
    return {
      clock: this.#clock,
      chance,
      routing: { fraction: () => this.#route, id: () => chance.id(), token: (bytes) => chance.token(bytes) },
      disk: new MemoryDisk(),
      oracle: this.#oracle,
      tenants: this.#tenants,
      alone,
      books: () => this.#books,
      time: async () => Math.floor(this.#clock.now()),
      transport: ({ process }) => this.#provider.transport(process, () => true),
      recalls: (replica) => (alone ? null : this.#recallsOf(replica)),
      snapshot: () => this.#prices.snapshot,
      sink: { record: (row) => this.#guard(() => this.#journey(row.id).recorded(row, row.bound, false)) },
      fate: () => null,
      failed: (_, __, cause) => {
        throw cause;
      },
      dispatched: (_, { id }) => {
        this.#journey(id).id = id;
      },
      guard: (work) => this.#guard(work),
    };
  }

  #recallsOf(replica: Replica): Recalls {
    return {
      send: (account) => {
        for (const other of this.#replicas) if (other !== replica) this.#clock.setTimer(5, () => other.recall(account));
      },
      listen: (listener: (account: AccountRef) => void) => {
        replica.recall = listener;
      },
      close: async () => {},
    };
  }

  #journey(id: string): Journey {
    return this.#journeys.get(id.slice(0, id.indexOf('.')))!;
  }

  #requestOf(body: string): { name: string; bytes: number } {
    const at = body.indexOf('<r');
    const { question } = this.#journeys.get(body.slice(at + 1, body.indexOf('>', at)))!;
    return { name: question.name, bytes: question.bytes.length };
  }

  #begun(call: Call): void {
    const journey = this.#journeys.get(call.request)!;
    journey.called(call);
    if (journey.id !== null) this.#oracle.purchases.get(journey.id)!.sent = true;
  }

  async play(): Promise<Outcome> {
    for (const replica of this.#replicas) void replica.start();
    await this.#clock.advance(500);
    for (let number = 1; number <= requestCount; number++) {
      this.#ask(`r${number}`, this.#replicas[number % this.#replicas.length]!);
      await this.#advance(1);
      if (this.#variation.order === null) {
        await this.#waitForAnswers();
        await this.#advance(beginning + 500 + number * stepMs - this.#clock.now());
      }
    }
    await this.#waitForAnswers();
    await Promise.all([...this.#replicas.map((replica) => replica.close()), this.#advance(2_000)]);
    this.#oracle.checkEnd();
    return { requests: this.#requests(), spent: this.#spent() };
  }

  #ask(name: string, replica: Replica): void {
    const chance = this.#chanceOf(`${name} asks`);
    this.#route = chance.fraction();
    const key = chance.pick(this.#tenants.keys);
    const path = chance.happens(0.7) ? '/v1/chat/completions' : '/v1/messages';
    const isStream = chance.happens(0.5);
    const body = {
      model: 'm',
      messages: [{ role: 'user', content: `<${name}>` }],
      max_tokens: chance.pick([1, 16, 100, 600, 4_000]),
      ...(isStream ? { stream: true } : {}),
    };
    const bytes = Buffer.from(JSON.stringify(body));
    const { process } = replica;
    const gateway = replica.gateway!;
    const question = { name, key, process, prices: this.#prices, path, isStream, bytes, askedAt: this.#clock.now() };
    const journey = new Journey(question as ConstructorParameters<typeof Journey>[0], new SeededChance(1));
    this.#journeys.set(name, journey);
    const arrival = {
      matched: matchRoute(path)!,
      path,
      query: '',
      headers: { authorization: `Bearer ${key.secret}`, 'x-litellm-call-id': name },
      bytes,
      clientAddress: null,
      client: journey.client,
      arrivedTick: gateway.clock.tick(),
    };
    serve(gateway, arrival).then(
      (reply) => this.#guard(() => journey.answered(reply)),
      (cause) => this.#guard(() => Promise.reject(cause)),
    );
  }

  /** Everything that providers have to say arrives, one piece after the other, in the order of this run. */
  async #waitForAnswers(): Promise<void> {
    const order = new SeededChance(this.#variation.order ?? 1);
    for (let quietMs = 0; quietMs < stepMs - 200; ) {
      const ready = this.#provider.open.filter(({ isPaused }) => !isPaused);
      const isOver = [...this.#journeys.values()].every((journey) => journey.isOver && journey.rows.length === 1);
      if (ready.length > 0) {
        this.#provider.deliver(order.pick(ready));
        await this.#advance(0);
      } else if (isOver) return;
      else {
        for (const journey of this.#journeys.values()) if (journey.isWaiting) journey.read();
        await this.#advance(10);
        quietMs += 10;
      }
    }
  }

  async #advance(delayMs: number): Promise<void> {
    this.#oracle.observe();
    await this.#clock.advance(Math.max(0, delayMs));
    const violation = this.#violation ?? this.#oracle.violation;
    if (violation !== undefined) throw violation;
    this.#oracle.checkRefusals();
    this.#oracle.checkStore();
  }

  #requests(): Outcome['requests'] {
    return [...this.#journeys].map(([name, { rows }]) => ({ name, status: rows[0]!.status, cost: rows[0]!.cost }));
  }

  #spent(): Outcome['spent'] {
    const spent = [...this.#books.accounts].map(([name, account]) => [name, account.spent] as const);
    return new Map(spent.filter(([, amount]) => amount > 0));
  }

  #guard(work: () => unknown): void {
    try {
      work();
    } catch (cause) {
      this.#violation ??= cause;
    }
  }
}

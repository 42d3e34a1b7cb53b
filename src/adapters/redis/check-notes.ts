import { type RedisLink, unavailable } from './link.ts';

const patienceMs = 2_000;

/** What replicas tell each other of their health checks, and whose turn it is to make them. */
export class CheckNotes {
  readonly #link: RedisLink;

  constructor(link: RedisLink) {
    this.#link = link;
  }

  /** True for one replica within this time; null while Redis does not answer. */
  async takeTurn(forMs: number): Promise<boolean | null> {
    const name = `${this.#link.prefix}:check-turn`;
    const taken = await this.#link.callPatiently(
      (client) => client.set(name, '1', 'PX', Math.max(1, Math.floor(forMs)), 'NX'),
      patienceMs,
    );
    return taken === unavailable ? null : taken === 'OK';
  }

  async read(): Promise<string | null> {
    const text = await this.#link.callPatiently((client) => client.get(this.#name), patienceMs);
    return text === unavailable ? null : text;
  }

  async write(text: string, keptMs: number): Promise<void> {
    await this.#link.callPatiently((client) => client.set(this.#name, text, 'PX', Math.floor(keptMs)), patienceMs);
  }

  get #name(): string {
    return `${this.#link.prefix}:checks`;
  }
}

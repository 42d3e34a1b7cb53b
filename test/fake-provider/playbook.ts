import type { RecordedRequest } from './record.ts';
import type { Script } from './script.ts';

/** A script, or a function that writes one for the request it sees. */
export type ScriptSource = Script | ((request: RecordedRequest) => Script);

/** Which script a request gets: the queue first, then what its model has, then the default. */
export class Playbook {
  readonly #queue: { source: ScriptSource; left: number }[] = [];
  readonly #byModel = new Map<string, ScriptSource>();
  #default: ScriptSource = {};

  enqueue(sources: readonly ScriptSource[]): void {
    for (const source of sources) {
      this.#queue.push({ source, left: typeof source === 'function' ? 1 : (source.times ?? 1) });
    }
  }

  setDefault(source: ScriptSource): void {
    this.#default = source;
  }

  setForModel(model: string, source: ScriptSource | undefined): void {
    if (source === undefined) this.#byModel.delete(model);
    else this.#byModel.set(model, source);
  }

  clear(): void {
    this.#queue.length = 0;
    this.#byModel.clear();
    this.#default = {};
  }

  next(request: RecordedRequest, model: string): Script {
    const source = this.#fromQueue() ?? this.#byModel.get(model) ?? this.#default;
    return typeof source === 'function' ? source(request) : source;
  }

  #fromQueue(): ScriptSource | undefined {
    const first = this.#queue[0];
    if (first === undefined) return undefined;
    first.left -= 1;
    if (first.left <= 0) this.#queue.shift();
    return first.source;
  }
}

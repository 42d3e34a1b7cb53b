import type { EncodeOptions } from '../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { openaiParameters } from './foreign-parameters.ts';
import { field, nameIn } from './gemini/fields.ts';
import { unsupportedParameters } from './parameter-edits.ts';

/** A format that keeps most of its parameters in one member (`generationConfig`, `inferenceConfig`). */
export interface NestedFormat {
  readonly member: string;
  /** What stands in it, and not beside it. */
  readonly names: ReadonlySet<string>;
  readonly maxTokens: string;
  /** What the address says, so that the body must not. */
  readonly inAddress: ReadonlySet<string>;
  /** The format's own name for one that most formats share. */
  ownName(name: string): string;
  /** Another way to say a default, where it is not a matter of names. */
  defaultFor?(name: string, value: Json | undefined): readonly [name: string, value: Json | undefined] | undefined;
}

const meansNothing: ReadonlySet<string> = new Set([
  ...openaiParameters.hints,
  ...openaiParameters.features,
  ...['user', 'stream', 'parallel_tool_calls', 'functions', 'function_call', 'tool_choice', 'response_format'],
]);

/** The rules of a deployment over a body whose parameters stand one level down. */
export function nestedEdits(body: JsonObject, options: EncodeOptions, format: NestedFormat): Map<string, unknown> {
  const edits = new Map<string, unknown>();
  for (const name of Object.keys(body)) {
    if (format.inAddress.has(name) || options.gatewayFields.has(name)) edits.set(name, undefined);
  }
  const config = new NestedMember(body, format);
  for (const [name, value] of Object.entries(options.defaults)) {
    const [own, told] = format.defaultFor?.(name, value) ?? [format.ownName(name), value];
    if (format.names.has(own)) {
      if (!config.has(own)) config.set(own, own === 'stopSequences' && typeof told === 'string' ? [told] : told);
    } else if (!meansNothing.has(name) && field(body, own) === undefined) edits.set(own, told);
  }
  const clamp = options.maxOutputTokensClamp;
  if (clamp !== undefined) {
    const cap = config.get(format.maxTokens);
    config.set(format.maxTokens, typeof cap === 'number' ? Math.min(cap, clamp) : clamp);
  }
  const refused = options.traits.unsupportedParams.filter((name) => {
    if (options.allowedParams.includes(name) || options.additionalDropParams.includes(name)) return false;
    const own = format.ownName(name);
    return format.names.has(own) ? config.has(own) : field(body, own) !== undefined;
  });
  if (refused.length > 0 && !options.dropParams) throw unsupportedParameters(refused);
  for (const name of [...refused, ...options.additionalDropParams]) {
    const own = format.ownName(name);
    if (format.names.has(own)) config.set(own, undefined);
    else if (field(body, own) !== undefined || edits.has(own)) edits.set(nameIn(body, own), undefined);
  }
  for (const [name, value] of Object.entries(options.extraBody)) {
    const own = format.ownName(name);
    if (own === format.member && isJsonObject(value)) {
      for (const [key, one] of Object.entries(value)) config.set(format.ownName(key), one);
    } else if (format.names.has(own)) config.set(own, value);
    else edits.set(nameIn(body, own), value);
  }
  config.writeInto(edits);
  return edits;
}

/** The member that holds the parameters, changed in a copy. */
class NestedMember {
  readonly #key: string;
  readonly #members: Map<string, unknown>;
  readonly #format: NestedFormat;
  #isChanged = false;

  constructor(body: JsonObject, format: NestedFormat) {
    this.#format = format;
    this.#key = nameIn(body, format.member);
    const given = field(body, format.member);
    this.#members = new Map<string, unknown>(isJsonObject(given) ? Object.entries(given) : []);
  }

  has(name: string): boolean {
    return this.#keyOf(name) !== undefined;
  }

  get(name: string): unknown {
    return this.#members.get(this.#keyOf(name) ?? '');
  }

  /** undefined takes it out. */
  set(name: string, value: unknown): void {
    const key = this.#keyOf(name) ?? name;
    if (value === undefined ? !this.#members.has(key) : this.#members.get(key) === value) return;
    this.#isChanged = true;
    if (value === undefined) this.#members.delete(key);
    else this.#members.set(key, value);
  }

  writeInto(edits: Map<string, unknown>): void {
    if (this.#isChanged) edits.set(this.#key, this.#members.size === 0 ? undefined : Object.fromEntries(this.#members));
  }

  #keyOf(name: string): string | undefined {
    for (const key of this.#members.keys()) if (this.#format.ownName(key) === name) return key;
    return undefined;
  }
}

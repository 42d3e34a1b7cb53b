import type { EncodeOptions } from '../core/dialect.ts';
import { GatewayError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import { saysConversation } from './foreign-parameters.ts';

/** What sets one wire format's parameters apart. */
export interface ParameterFormat {
  /** Names under which a cap on output tokens may stand, the one that counts first. */
  readonly maxTokensNames: readonly string[];
  /** Writes the cap even where the caller gave none. */
  readonly maxTokensRequired: boolean;
  /** Parameters present in the body that this model refuses, beyond `traits.unsupportedParams`. */
  readonly refused?: (body: JsonObject) => readonly string[];
  /** The name to write a cap under, when it is to be another than the caller's. */
  readonly maxTokensRename?: string;
}

/**
 * The changes that a deployment's rules make to a body in the provider's dialect: model, gateway fields out, defaults in,
 * cap on output, unsupported parameters dropped or refused, additions. Throws GatewayError('unsupported_parameter').
 */
export function parameterEdits(
  body: JsonObject,
  options: EncodeOptions,
  format: ParameterFormat,
): Map<string, unknown> {
  const edits = new Map<string, unknown>();
  if (body.model !== options.model) edits.set('model', options.model);
  for (const name in body) if (options.gatewayFields.has(name)) edits.set(name, undefined);
  const cappedBy = firstGiven(body, format.maxTokensNames);
  for (const name in options.defaults) {
    const isCap = format.maxTokensNames.includes(name);
    if (!isGiven(body, name) && !(isCap && cappedBy !== undefined)) edits.set(name, options.defaults[name]);
  }
  editCap(body, options, format, edits, cappedBy);
  refuseUnsupported(body, options, format, edits);
  for (const name of options.additionalDropParams) {
    if (Object.hasOwn(body, name) || edits.has(name)) edits.set(name, undefined);
  }
  for (const name in options.extraBody) edits.set(name, options.extraBody[name]);
  return edits;
}

function isGiven(body: JsonObject, name: string): boolean {
  return Object.hasOwn(body, name) && body[name] !== null && body[name] !== undefined;
}

function firstGiven(body: JsonObject, names: readonly string[]): string | undefined {
  for (let index = 0; index < names.length; index++) if (isGiven(body, names[index]!)) return names[index];
  return undefined;
}

function editCap(
  body: JsonObject,
  options: EncodeOptions,
  format: ParameterFormat,
  edits: Map<string, unknown>,
  cappedBy: string | undefined,
): void {
  if (format.maxTokensNames.length === 0) return;
  const defaultName =
    edits.size === 0 ? undefined : format.maxTokensNames.find((name) => edits.get(name) !== undefined);
  const given = cappedBy === undefined ? edits.get(defaultName ?? '') : body[cappedBy];
  let cap = typeof given === 'number' ? given : undefined;
  if (cap === undefined && format.maxTokensRequired) cap = options.maxOutputTokensDefault;
  const clamp = options.maxOutputTokensClamp;
  if (clamp !== undefined) cap = cap === undefined ? clamp : Math.min(cap, clamp);
  if (cap === undefined) return;
  const name = format.maxTokensRename ?? cappedBy ?? defaultName ?? format.maxTokensNames.at(-1)!;
  for (const other of format.maxTokensNames) {
    if (other !== name && (Object.hasOwn(body, other) || edits.has(other))) edits.set(other, undefined);
  }
  if (body[name] === cap) edits.delete(name);
  else edits.set(name, cap);
}

/** What a provider may be spared without changing its answer; the gateway itself answers `stream_options`. */
const hints: ReadonlySet<string> = new Set([
  'stream_options',
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
]);

function refuseUnsupported(
  body: JsonObject,
  options: EncodeOptions,
  format: ParameterFormat,
  edits: Map<string, unknown>,
): void {
  const unsupported = options.traits.unsupportedParams;
  if (unsupported.length === 0 && format.refused === undefined) return;
  const refused: string[] = [];
  for (const name of format.refused?.(body) ?? []) refused.push(name);
  for (const name of unsupported) {
    if (hints.has(name) && Object.hasOwn(body, name)) edits.set(name, undefined);
    else if (body[name] !== undefined && body[name] !== null && Object.hasOwn(body, name)) refused.push(name);
  }
  // A deployment's own default for what its provider refuses is left out without a word.
  for (const name of unsupported) if (edits.get(name) !== undefined) edits.delete(name);
  if (refused.length === 0) return;
  const left = refused.filter(
    (name) =>
      !options.allowedParams.includes(name) && !options.additionalDropParams.includes(name) && !isRemoved(edits, name),
  );
  if (left.length === 0) return;
  if (!options.dropParams) throw unsupportedParameters(left);
  for (const name of left) edits.set(name, undefined);
}

function isRemoved(edits: ReadonlyMap<string, unknown>, name: string): boolean {
  return edits.has(name) && edits.get(name) === undefined;
}

export function unsupportedParameters(names: readonly string[]): GatewayError {
  const list = [...new Set(names)].map((name) => `'${name}'`).join(', ');
  return new GatewayError(
    'unsupported_parameter',
    `litellm.UnsupportedParamsError: the model does not support parameters: [${list}]. Leave them out, or let the ` +
      'gateway drop them with `drop_params: true`.',
    { param: names[0]! },
  );
}

/** Throws for parameters that a format cannot say, unless they are dropped or allowed as they are. */
export function refuseParameters(names: readonly string[], options: EncodeOptions): void {
  const { allowedParams, letThrough } = options;
  const isAllowed = (name: string) => allowedParams.includes(name) && !saysConversation(name);
  if (letThrough !== undefined) for (const name of names) if (isAllowed(name)) letThrough.add(name);
  if (options.dropParams) return;
  const left = names.filter((name) => !options.additionalDropParams.includes(name) && !isAllowed(name));
  if (left.length > 0) throw unsupportedParameters(left);
}

/** Content that cannot be told in the provider's format; unlike a parameter it is never dropped. */
export function inexpressible(what: string, param = 'messages'): GatewayError {
  return new GatewayError(
    'unsupported_parameter',
    `litellm.UnsupportedParamsError: the model does not support ${what}.`,
    { param },
  );
}

/** A kind of content that only one format has: by its type, or by the member that stands for it. */
export function strangeContent(block: JsonObject): GatewayError {
  const kind = typeof block.type === 'string' ? block.type : (Object.keys(block)[0] ?? 'nothing');
  return inexpressible(`content of type ${JSON.stringify(kind.slice(0, 80))}`);
}

/** Applies edits to a body that is being built, in order. */
export function withEdits(body: JsonObject, edits: ReadonlyMap<string, unknown>): JsonObject {
  const members = new Map<string, unknown>(Object.entries(body));
  for (const [name, value] of edits) {
    if (value === undefined) members.delete(name);
    else members.set(name, value);
  }
  return Object.fromEntries(members) as JsonObject;
}

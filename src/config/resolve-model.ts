import { nearest } from '../core/nearest.ts';
import type { Provider, ProviderDirectory } from '../core/provider.ts';

/** The prefix that, by the configuration format, stands for any server with the common chat API. */
const compatiblePrefix = 'openai';

export interface ResolvedModel {
  readonly provider: Provider;
  /** What is sent: everything after the provider's prefix, as it stands. */
  readonly model: string;
}

export interface UnresolvedModel {
  readonly message: string;
  readonly nearest: string | undefined;
}

/** Which provider a `model` string means. A named provider wins, then the prefix, then who owns the bare name. */
export function resolveModel(
  model: string,
  hints: { readonly provider: string | undefined; readonly hasAddress: boolean },
  directory: ProviderDirectory,
): ResolvedModel | UnresolvedModel {
  const slash = model.indexOf('/');
  const prefix = slash > 0 ? model.slice(0, slash) : undefined;
  if (hints.provider !== undefined) {
    const provider = directory.byId(hints.provider);
    if (provider === undefined) return unknown(hints.provider, directory);
    const isOwnPrefix = prefix !== undefined && directory.byId(prefix) === provider;
    return { provider, model: isOwnPrefix ? model.slice(slash + 1) : model };
  }
  const byPrefix = prefix === undefined ? undefined : directory.byId(prefix);
  if (byPrefix !== undefined) return { provider: byPrefix, model: model.slice(slash + 1) };
  const owner = directory.byModel(model);
  if (owner !== undefined) return { provider: owner, model };
  const compatible = hints.hasAddress ? directory.byId(compatiblePrefix) : undefined;
  if (compatible !== undefined) return { provider: compatible, model };
  if (prefix !== undefined) return unknown(prefix, directory);
  if (model === '*') {
    const message = '* names no provider: write one entry for each, with `model_name` and `model` such as openai/*';
    return { message, nearest: undefined };
  }
  return {
    message: `no provider is known for the model ${model}: write provider/${model}, or add \`api_base\``,
    nearest: undefined,
  };
}

function unknown(name: string, directory: ProviderDirectory): UnresolvedModel {
  return { message: `there is no provider ${name}`, nearest: nearest(name, directory.ids) };
}

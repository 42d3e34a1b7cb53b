import { isIP } from 'node:net';
import type { ModelTraits } from '../core/dialect.ts';
import type { JsonObject } from '../core/json.ts';
import type { Operation } from '../core/operation.ts';
import { freePrice, type Price } from '../core/price.ts';
import type { Provider } from '../core/provider.ts';
import type { Deployment } from '../core/route.ts';
import { withBatchPrice } from './batch-price.ts';
import type { CatalogueEntry } from './catalogue.ts';
import type { DeploymentParts } from './connection.ts';
import type { DeploymentEntry } from './deployment-entry.ts';
import { isAnsweredFree, operationsByMode } from './model-mode.ts';
import { capabilitiesOf } from './price-file.ts';
import { priceFromSettings } from './prices.ts';
import { priceAtAddress } from './regional-price.ts';

/** What depends on the upstream model alone; looked up again when a wildcard is filled. */
export type ModelFacts = Pick<Deployment, 'operations' | 'price' | 'limits' | 'traits' | 'capabilities' | 'modelInfo'>;

export function modelFacts(
  entry: DeploymentEntry,
  provider: Provider,
  model: string,
  apiBase: string,
  parts: DeploymentParts,
): { readonly ofModel: ModelFacts; readonly priceRemark: string | null } {
  const { info } = entry;
  const catalogued = catalogueEntry(info.base_model, model, provider, parts);
  const mode = info.mode ?? catalogued?.mode ?? null;
  const known = priceFromSettings(entry.prices, catalogued?.price ?? unitPrice(provider, model), isAnsweredFree(mode));
  const priced =
    known !== null || model.includes('*') ? { price: known, remark: null } : unpriced(model, apiBase, parts);
  const ofModel: ModelFacts = {
    operations: operationsOf(mode, provider),
    price: withBatchPrice(priceAtAddress(priced.price, apiBase), provider.batchPriceRatio),
    limits: Object.freeze({
      inputTokensMax: info.max_input_tokens ?? catalogued?.inputTokensMax ?? null,
      outputTokensMax: info.max_output_tokens ?? info.max_tokens ?? catalogued?.outputTokensMax ?? null,
    }),
    traits: Object.freeze({
      ...traitsOf(provider, model, mode),
      ...dialectInstead(entry, parts),
      ...(info.supports_response_schema === false && { supportsJsonSchema: false }),
    }),
    capabilities: Object.freeze({ ...catalogued?.capabilities, ...capabilitiesOf(info) }),
    modelInfo: shownInfo(entry, catalogued),
  };
  return { ofModel, priceRemark: priced.remark };
}

/** What is known of a model that no deployment has; price null where nobody knows one. */
export function publicFacts(
  provider: Provider,
  model: string,
  { catalogue }: Pick<DeploymentParts, 'catalogue'>,
): Pick<Deployment, 'price' | 'limits'> {
  const known = catalogue.find(provider.catalogueIds, model);
  return {
    price: known?.price ?? unitPrice(provider, model),
    limits: { inputTokensMax: known?.inputTokensMax ?? null, outputTokensMax: known?.outputTokensMax ?? null },
  };
}

/** A model that serves Responses alone, as the operator or the catalogue says. */
function traitsOf(provider: Provider, model: string, mode: string | null): ModelTraits {
  const traits = provider.traits(model);
  if (mode !== 'responses' || !provider.dialects.chat?.includes('openai-responses')) return traits;
  return { ...traits, soleDialect: 'openai-responses' };
}

/** Where the operator wants conversations in another format than they come in; the formats of the provider decide whether it can be. */
function dialectInstead({ params }: DeploymentEntry, { chatGoesToResponses }: DeploymentParts): Partial<ModelTraits> {
  if (params.use_chat_completions_api) return { dialectInstead: { 'openai-responses': 'openai-chat' } };
  const isPublic = params.api_base === undefined && params.base_url === undefined;
  return chatGoesToResponses && isPublic ? { dialectInstead: { 'openai-chat': 'openai-responses' } } : {};
}

/** What the provider's own folder knows of models that are not paid by the token. */
function unitPrice(provider: Provider, model: string): Price | null {
  const units = provider.unitRates?.(model);
  return units === undefined ? null : Object.freeze({ ...freePrice, units, source: `list:${provider.id}` });
}

const advice =
  'write input_cost_per_token and output_cost_per_token (0 is a price), or gpu_cost_per_hour and tokens_per_second';

/** Nobody knows the price: nothing to pay on one's own hardware, otherwise not to be used under a hard budget. */
function unpriced(model: string, apiBase: string, parts: DeploymentParts): { price: Price | null; remark: string } {
  const isFree = parts.unpriced === 'free' || (parts.unpriced === 'self_hosted_free' && isPrivateAddress(apiBase));
  return isFree
    ? { price: assumedFree, remark: `no price is known for ${model}; taken as 0 dollars (${advice})` }
    : { price: null, remark: `no price is known for ${model}; keys with a hard budget are refused (${advice})` };
}

const assumedFree: Price = Object.freeze({ ...freePrice, source: 'assumed' });

/** An address that public providers do not have: an IP address, a bare host name, or a name of a private zone. */
export function isPrivateAddress(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const host = new URL(address).hostname.replace(/^\[|\]$/g, '');
  return (
    isIP(host) !== 0 ||
    !host.includes('.') ||
    /\.(local|localhost|internal|lan|home|corp|intranet|svc|test)$/.test(host)
  );
}

function catalogueEntry(
  baseModel: string | undefined,
  model: string,
  provider: Provider,
  { catalogue, directory }: DeploymentParts,
): CatalogueEntry | undefined {
  if (baseModel !== undefined) {
    const slash = baseModel.indexOf('/');
    const other = slash > 0 ? directory.byId(baseModel.slice(0, slash)) : undefined;
    if (other !== undefined) return catalogue.find(other.catalogueIds, baseModel.slice(slash + 1));
    const owner = directory.byModel(baseModel);
    return catalogue.find([...provider.catalogueIds, ...(owner?.catalogueIds ?? [])], baseModel);
  }
  return model.includes('*') ? undefined : catalogue.find(provider.catalogueIds, model);
}

function operationsOf(mode: string | null, provider: Provider): readonly Operation[] {
  const spoken = Object.keys(provider.dialects) as Operation[];
  if (mode === null) return spoken;
  return (operationsByMode[mode] ?? []).filter((operation) => spoken.includes(operation));
}

/** What `/model/info` shows: the operator's keys over what the catalogue knows. */
function shownInfo(entry: DeploymentEntry, catalogued: CatalogueEntry | undefined): JsonObject {
  return {
    ...(catalogued?.inputTokensMax != null && { max_input_tokens: catalogued.inputTokensMax }),
    ...(catalogued?.outputTokensMax != null && { max_output_tokens: catalogued.outputTokensMax }),
    ...(catalogued?.mode != null && { mode: catalogued.mode }),
    ...entry.publicInfo,
  };
}

import type { z } from 'zod';
import { anything } from '../field.ts';
import { generalSettings } from './general-settings.ts';
import { guardrails } from './guardrails.ts';
import { litellmSettings } from './litellm-settings.ts';
import { mcpServers } from './mcp-servers.ts';
import { callbackSettings, credentialList, vectorStoreRegistry } from './other-sections.ts';
import { routerSettings } from './router-settings.ts';

/** The sections that are read as a whole; `model_list`, `environment_variables` and `include` are read by the loader. */
export const sectionSchemas = {
  router_settings: routerSettings,
  litellm_settings: litellmSettings,
  general_settings: generalSettings,
  credential_list: credentialList,
  guardrails,
  mcp_servers: mcpServers,
  vector_store_registry: vectorStoreRegistry,
  callback_settings: callbackSettings,
  policies: anything(),
  mcp_toolsets: anything(),
  files_settings: anything(),
  finetune_settings: anything(),
  assistant_settings: anything(),
  search_tools: anything(),
  prompts: anything(),
  agents: anything(),
} as const;

export type SectionName = keyof typeof sectionSchemas;

export type Sections = { readonly [Name in SectionName]?: z.output<(typeof sectionSchemas)[Name]> };

export const sectionMeanings: Record<SectionName | 'model_list' | 'environment_variables' | 'include', string> = {
  model_list: 'The deployments. Entries with the same `model_name` form one model group.',
  router_settings: 'How a deployment is chosen, retried and replaced.',
  litellm_settings: 'Defaults, budgets, cache and callbacks of the whole gateway.',
  general_settings: 'The program itself: keys, store, limits, paths.',
  credential_list: 'Named provider connections that deployments refer to.',
  environment_variables: 'Exported before anything else is resolved.',
  include: 'Files merged into this one, relative to it.',
  guardrails: 'Checks on requests and answers.',
  mcp_servers: 'Tool servers behind the gateway.',
  vector_store_registry: 'Vector stores at providers.',
  callback_settings: 'Settings by callback.',
  policies: 'Which guardrails apply where.',
  mcp_toolsets: 'Named sets of tools.',
  files_settings: 'Providers for files.',
  finetune_settings: 'Providers for fine-tuning.',
  assistant_settings: 'Provider for assistants.',
  search_tools: 'Search tools.',
  prompts: 'Prompts.',
  agents: 'Agents.',
};

const shapes: Readonly<Record<string, object>> = {
  router_settings: routerSettings.shape,
  litellm_settings: litellmSettings.shape,
  general_settings: generalSettings.shape,
};

/** The section that a key of another one belongs into. */
export function homeOf(path: readonly (string | number)[]): string | undefined {
  const [section, name] = path;
  if (path.length !== 2 || typeof name !== 'string' || !Object.hasOwn(shapes, String(section))) return undefined;
  return Object.keys(shapes).find((other) => other !== section && Object.hasOwn(shapes[other]!, name));
}

export const topLevelKeys = Object.keys(sectionMeanings);

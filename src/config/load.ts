import { nearest } from '../core/nearest.ts';
import { type DeploymentEntry, readDeploymentEntry } from './deployment-entry.ts';
import { type Diagnostic, isRefused, type Path, withoutEffect } from './diagnostic.ts';
import { type Environment, withVariables } from './environment.ts';
import { Findings } from './findings.ts';
import { reportInactiveKeys } from './inactive-keys.ts';
import { isKnownElsewhere } from './known-elsewhere.ts';
import { Origins } from './origin.ts';
import { isMap, type ReadText, readFileTree } from './read-file.ts';
import { describe, readValue } from './read-value.ts';
import { reportReferences } from './references.ts';
import { type Sections, sectionSchemas, topLevelKeys } from './schema/sections.ts';
import { layOver, type StoredSettings } from './stored-settings.ts';
import { type MissingVariable, substitute } from './substitute.ts';
import type { Tree } from './yaml-tree.ts';

/** A configuration as written: typed, variables filled in, secrets wrapped. Not yet tied to providers and prices. */
export interface Config {
  readonly file: string;
  readonly sections: Sections;
  readonly deployments: readonly DeploymentEntry[];
  /** The environment with the file's own `environment_variables`. */
  readonly environment: Environment;
  readonly variables: Readonly<Record<string, string>>;
  /** Where something stands in the file, for messages that are only possible later. */
  placeOf(path: Path): { readonly file: string; readonly line: number; readonly column: number };
}

export interface LoadedConfig {
  /** Undefined when there is an error among the diagnostics. */
  readonly config: Config | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Absolute paths of every file read or wanted. */
  readonly files: readonly string[];
}

/** Reads a configuration file with its includes. Never throws for anything that stands in a file. */
export function loadConfig(
  file: string,
  environment: Environment,
  readText?: ReadText,
  stored: StoredSettings = {},
): LoadedConfig {
  const origins = new Origins();
  const { tree, files, diagnostics } = readFileTree(file, origins, readText);
  if (tree === undefined) return { config: undefined, diagnostics, files };
  layOver(tree, stored);
  const read = readTree(tree, file, origins, environment);
  const all = [...diagnostics, ...read.diagnostics];
  return { config: isRefused(all) ? undefined : read.config, diagnostics: all, files };
}

/** The same for a text that is not in a file, e.g. the built-in configuration. */
export function loadConfigText(text: string, name: string, environment: Environment): LoadedConfig {
  return { ...loadConfig(name, environment, () => text), files: [] };
}

/** A model added through the admin API, in the shape of a `model_list` entry. */
export function readStoredModel(
  stored: {
    readonly id: string;
    readonly modelName: string;
    readonly params: object;
    readonly modelInfo: object;
    readonly blocked: boolean;
  },
  environment: Environment,
): { readonly entry: DeploymentEntry | undefined; readonly diagnostics: readonly Diagnostic[] } {
  const tree = structuredClone({
    model_name: stored.modelName,
    litellm_params: stored.params,
    model_info: { ...stored.modelInfo, id: stored.id, ...(stored.blocked && { blocked: true }) },
  }) as Tree;
  const findings = new Findings(`stored model ${stored.modelName} (${stored.id})`, tree, new Origins());
  const missing = substitute(tree, environment);
  reportMissing(missing, findings);
  const entry = readDeploymentEntry(tree, [], missing, findings, true);
  return { entry, diagnostics: findings.list };
}

function readTree(tree: Tree, file: string, origins: Origins, inherited: Environment) {
  const findings = new Findings(file, tree, origins);
  const variables = readVariables(tree, inherited, findings);
  const environment = withVariables(inherited, variables);
  const missing = substitute(tree, environment);
  reportMissing(missing, findings);

  for (const key of Object.keys(tree)) {
    // Names like these are where people keep anchors.
    if (topLevelKeys.includes(key) || /^(x-|[._])/.test(key)) continue;
    if (isKnownElsewhere([], key)) {
      findings.add('notice', [key], withoutEffect, { atKey: true });
      continue;
    }
    findings.add('warning', [key], 'unknown key', { nearest: nearest(key, topLevelKeys), atKey: true });
  }
  const sections: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(sectionSchemas)) {
    if (tree[name] === undefined || tree[name] === null) continue;
    sections[name] = readValue(schema, tree[name], [name], findings);
  }
  reportInactiveKeys(tree, findings);

  const deployments: DeploymentEntry[] = [];
  const list = tree.model_list ?? [];
  const defaults =
    sections.router_settings === undefined ? undefined : (tree.router_settings as Tree).default_litellm_params;
  if (!Array.isArray(list)) {
    findings.add('error', ['model_list'], `found ${describe(list)}`, { expected: 'a list of deployments' });
  } else {
    for (const [index, entry] of list.entries()) {
      if (isMap(defaults)) addDefaults(entry, defaults);
      for (const one of byOrganization(entry)) {
        const read = readDeploymentEntry(one, ['model_list', index], missing, findings);
        if (read !== undefined) deployments.push(read);
      }
    }
  }
  const placeOf = (path: Path) => origins.locate(tree, path, 'value') ?? { file, line: 0, column: 0 };
  const config: Config = { file, sections: sections as Sections, deployments, environment, variables, placeOf };
  if (!isRefused(findings.list)) reportReferences(config, findings);
  return { config, diagnostics: findings.list };
}

/** An entry with a list of organizations is one for each of them. */
function byOrganization(entry: unknown): readonly unknown[] {
  if (!isMap(entry)) return [entry];
  const paramsKey = 'litellm_params' in entry ? 'litellm_params' : 'params';
  const params = entry[paramsKey];
  if (!isMap(params) || !Array.isArray(params.organization)) return [entry];
  return params.organization.map((organization) => ({ ...entry, [paramsKey]: { ...params, organization } }));
}

/** `router_settings.default_litellm_params` stand in for what an entry does not say. */
function addDefaults(entry: unknown, defaults: Tree): void {
  if (!isMap(entry)) return;
  const params = entry.litellm_params ?? entry.params;
  if (!isMap(params)) return;
  for (const [key, value] of Object.entries(defaults)) if (!Object.hasOwn(params, key)) params[key] = value;
}

/** `environment_variables` are resolved against the inherited environment and count for everything after them. */
function readVariables(tree: Tree, inherited: Environment, findings: Findings): Record<string, string> {
  const written = tree.environment_variables;
  if (written === undefined || written === null) return {};
  if (!isMap(written)) {
    const expected = 'a map of names to texts';
    findings.add('error', ['environment_variables'], `found ${describe(written)}`, { expected });
    return {};
  }
  for (const { path, name } of substitute(written, inherited)) {
    findings.add('warning', ['environment_variables', ...path], `the variable ${name} is not set`);
  }
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(written)) {
    if (value === null) continue;
    if (typeof value === 'object') {
      findings.add('error', ['environment_variables', name], `found ${describe(value)}`, { expected: 'text' });
    } else {
      variables[name] = String(value);
    }
  }
  return variables;
}

function reportMissing(missing: readonly MissingVariable[], findings: Findings): void {
  for (const { path, name } of missing) {
    findings.add('warning', path, `the variable ${name} is not set; taken as not written`);
  }
}

import { dirname, resolve } from 'node:path';
import { bundledCatalogue, type Catalogue, layered } from './catalogue.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Environment } from './environment.ts';
import { type Config, loadConfig } from './load.ts';
import { readPriceFile } from './price-file.ts';
import { type ReadText, readUtf8 } from './read-file.ts';
import type { StoredSettings } from './stored-settings.ts';

/** A configuration with the prices that belong to it: what a snapshot is built from. */
export interface PreparedConfig {
  /** Undefined when there is an error among the diagnostics. */
  readonly config: Config | undefined;
  readonly catalogue: Catalogue;
  readonly diagnostics: readonly Diagnostic[];
  /** Absolute paths of every file read or wanted: what a watcher has to watch. */
  readonly files: readonly string[];
}

/** Reads the configuration, with what is stored laid over it, and its price file. `date` (unix milliseconds) chooses the bundled prices of that day. */
export function prepareConfig(
  file: string,
  environment: Environment,
  date: number,
  readText: ReadText = readUtf8,
  stored: StoredSettings = {},
): PreparedConfig {
  const loaded = loadConfig(file, environment, readText, stored);
  const bundled = bundledCatalogue(date);
  const priceFile = loaded.config?.sections.general_settings?.price_catalogue_file;
  if (priceFile === undefined) return { ...loaded, catalogue: bundled };
  const path = resolve(dirname(resolve(file)), priceFile);
  const files = [...loaded.files, path];
  try {
    const { catalogue, diagnostics } = readPriceFile(readText(path), priceFile);
    const all = [...loaded.diagnostics, ...diagnostics];
    if (catalogue === undefined) return { config: undefined, catalogue: bundled, diagnostics: all, files };
    return { config: loaded.config, catalogue: layered(catalogue, bundled), diagnostics: all, files };
  } catch (error) {
    const place = loaded.config!.placeOf(['general_settings', 'price_catalogue_file']);
    const path = 'general_settings.price_catalogue_file';
    const message = `cannot read the price file (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`;
    const diagnostic: Diagnostic = { severity: 'error', ...place, path, message };
    return { config: undefined, catalogue: bundled, diagnostics: [...loaded.diagnostics, diagnostic], files };
  }
}

/** The same for a text that is not in a file, e.g. the built-in configuration: there is nothing to watch. */
export function prepareConfigText(text: string, name: string, environment: Environment, date: number): PreparedConfig {
  return { ...prepareConfig(name, environment, date, () => text), files: [] };
}

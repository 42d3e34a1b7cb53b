import type { Clock } from '../core/ports.ts';
import type { ProviderDirectory } from '../core/provider.ts';
import type { Snapshot } from '../core/route.ts';
import type { Secret } from '../core/secret.ts';
import type { AccessGroupRecord } from '../core/store.ts';
import type { DeploymentEntry } from './deployment-entry.ts';
import { ConfigError, type Diagnostic, renderDiagnostic } from './diagnostic.ts';
import type { Config } from './load.ts';
import type { PreparedConfig } from './prepare.ts';
import { buildSnapshot } from './snapshot.ts';
import type { StoredSettings } from './stored-settings.ts';
import { type Watch, watchFiles } from './watch.ts';

/** What the admin API keeps of the configuration. */
export interface StoredConfig {
  readonly models: readonly DeploymentEntry[];
  /** Connection values by credential name. */
  readonly credentials: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly accessGroups: readonly Pick<AccessGroupRecord, 'id' | 'name' | 'models' | 'deployments'>[];
  readonly settings: StoredSettings;
}

export interface LiveConfigOptions {
  /** Reads everything anew, with the stored settings laid over it. */
  prepare(stored: StoredSettings): PreparedConfig;
  readonly directory: ProviderDirectory;
  readonly masterKey: Secret | null;
  /** Told of every new snapshot, and of nothing else: swap it in one step. */
  onSwap(snapshot: Snapshot): void;
  /** Told of what a load or rebuild found; `isRefused` when the old snapshot stays. */
  onReport(diagnostics: readonly Diagnostic[], isRefused: boolean): void;
}

/**
 * The configuration of a running gateway. A new one is read, checked and built beside the old one and takes its place in one
 * step; one with an error changes nothing.
 */
export class LiveConfig {
  readonly #options: LiveConfigOptions;
  #prepared: PreparedConfig;
  #stored: StoredConfig = { models: [], credentials: new Map(), accessGroups: [], settings: {} };
  #snapshot: Snapshot;
  #version = 1;
  #told: ReadonlySet<string> = new Set();
  /** Also of a refused load: a mistake is mended in the file it was made in, or by adding one that was not there. */
  #files: readonly string[];
  #watch: Watch | null = null;

  /** Throws ConfigError when the first configuration is not valid. */
  constructor(options: LiveConfigOptions) {
    this.#options = options;
    this.#prepared = options.prepare({});
    this.#files = this.#prepared.files;
    if (this.#prepared.config === undefined) throw new ConfigError(this.#prepared.diagnostics);
    const built = this.#build(this.#prepared);
    this.#snapshot = built.snapshot;
    const found = [...this.#prepared.diagnostics, ...built.diagnostics];
    this.#told = new Set(found.map(renderDiagnostic));
    options.onReport(found, false);
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get prepared(): PreparedConfig {
    return this.#prepared;
  }

  /** The configuration in force, as written. */
  get written(): Config {
    return this.#prepared.config!;
  }

  /** Reads the files again. False when the new configuration is refused and the old one stays. */
  reload(): boolean {
    this.#watch?.acting();
    const prepared = this.#options.prepare(this.#stored.settings);
    this.#files = prepared.files;
    if (prepared.config === undefined) {
      this.#options.onReport(prepared.diagnostics, true);
      return false;
    }
    this.#prepared = prepared;
    this.#swap(prepared.diagnostics);
    return true;
  }

  /** Puts other stored models, credentials, groups and settings beside and over the file's. */
  setStored(stored: StoredConfig): void {
    const changed = JSON.stringify(stored.settings) !== JSON.stringify(this.#stored.settings);
    this.#stored = stored;
    if (!changed || !this.reload()) this.#swap([], true);
  }

  /** What is found in the configuration when these settings are laid over it; the first error refuses it. */
  checkSettings(settings: StoredSettings): readonly Diagnostic[] {
    const known = new Set(this.#prepared.diagnostics.map(renderDiagnostic));
    const prepared = this.#options.prepare(settings);
    return prepared.diagnostics.filter((found) => found.severity === 'error' || !known.has(renderDiagnostic(found)));
  }

  /** Why a deployment could not be served beside the others if it were stored; null when it could. */
  faultOf(entry: DeploymentEntry): string | null {
    const known = new Set(this.#build(this.#prepared).diagnostics.map(({ message }) => message));
    const stored = { ...this.#stored, models: [...this.#stored.models, entry] };
    const found = this.#build(this.#prepared, stored).diagnostics;
    return found.find(({ severity, message }) => severity === 'skipped' && !known.has(message))?.message ?? null;
  }

  /** The snapshot as it would be if this deployment were stored. */
  snapshotWith(entry: DeploymentEntry): Snapshot {
    return this.#build(this.#prepared, { ...this.#stored, models: [...this.#stored.models, entry] }).snapshot;
  }

  watch(clock: Clock, intervalMs?: number): Watch {
    this.#watch = watchFiles({
      files: () => this.#files,
      clock,
      ...(intervalMs !== undefined && { intervalMs }),
      onChange: () => this.reload(),
    });
    return this.#watch;
  }

  /** `sameFiles`: what was told of the files already is not told again. */
  #swap(found: readonly Diagnostic[], sameFiles = false): void {
    this.#version++;
    const built = this.#build(this.#prepared);
    this.#snapshot = built.snapshot;
    this.#options.onSwap(built.snapshot);
    const all = [...found, ...built.diagnostics];
    const told = sameFiles ? this.#told : new Set<string>();
    this.#options.onReport(
      all.filter((one) => !told.has(renderDiagnostic(one))),
      false,
    );
    this.#told = new Set([...told, ...all.map(renderDiagnostic)]);
  }

  #build({ config, catalogue }: PreparedConfig, stored = this.#stored) {
    const { directory, masterKey } = this.#options;
    return buildSnapshot({
      config: config!,
      catalogue,
      directory,
      masterKey,
      version: this.#version,
      storedModels: stored.models,
      storedCredentials: stored.credentials,
      storedAccessGroups: stored.accessGroups,
    });
  }
}

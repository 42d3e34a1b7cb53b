import { systemEnvironment } from '../config/environment.ts';
import { prepareConfig } from '../config/prepare.ts';
import { buildSnapshot } from '../config/snapshot.ts';
import type { Snapshot } from '../core/route.ts';
import { providerDirectory } from '../providers/index.ts';

/** What a configuration file means, without anything that is kept in a store. */
export async function snapshotOf(file: string, date: number): Promise<Snapshot> {
  const { config, catalogue } = prepareConfig(file, systemEnvironment(), date);
  if (config === undefined) {
    throw new Error(`${file} is not valid; \`tollgate check-config ${file}\` shows what is wrong.`);
  }
  return buildSnapshot({ config, catalogue, directory: providerDirectory, masterKey: null, version: 1 }).snapshot;
}

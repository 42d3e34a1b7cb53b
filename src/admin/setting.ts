import { publicParams } from '../config/public-params.ts';
import { fixedAtStart, isStoredSection, type StoredSection, type StoredSettings } from '../config/stored-settings.ts';
import { GatewayError } from '../core/errors.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { SettingRecord } from '../core/store.ts';
import { suspensionPrefix } from '../core/suspension.ts';
import type { Actor } from './actor.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Resource } from './resource.ts';
import { administratorsOnly, mutate } from './resource.ts';
import { openParams, sealAll, sealParams } from './sealed-params.ts';

/** Sections of the configuration as the admin API changed them; secrets in them are sealed. */
export const settingResource: Resource<SettingRecord> = {
  name: 'setting',
  repository: (repositories) => repositories.settings,
  ownership: administratorsOnly,
  scope: null,
  bounds: [],
  extraBounds: [],
  audited: (row) =>
    ({
      ...row,
      value: row.id === 'environment_variables' ? { names: Object.keys(row.value) } : publicParams(row.value),
    }) as unknown as JsonObject,
};

/** What is kept of a setting, in clear, made into something else. */
export type SettingEdit = (kept: Json | undefined) => Json;

/** Keys to set by section; null takes a key back to what the file says. */
export type SettingChanges = Readonly<Partial<Record<StoredSection, Readonly<Record<string, Json | SettingEdit>>>>>;

/**
 * Lays changes over the configuration and puts it in force. Refused as a whole when the result would not be valid; returns
 * what is odd about it.
 */
export async function changeSettings(plane: ControlPlane, actor: Actor, changes: SettingChanges): Promise<string[]> {
  for (const [section, values] of Object.entries(changes)) {
    for (const key of Object.keys(values ?? {})) {
      const fixed = isStoredSection(section) ? fixedAtStart(section, key) : `${section}: cannot be changed here.`;
      if (fixed !== null) throw new GatewayError('malformed_request', fixed, { param: `${section}.${key}` });
    }
  }
  const warnings: string[] = [];
  await mutate(plane, actor, async (work) => {
    warnings.length = 0;
    const rows = new Map(sectionsOf(await work.repositories.settings.list()).map((row) => [row.id, row]));
    const after = new Map([...rows].map(([id, row]) => [id, { ...row.value }]));
    for (const [section, values] of Object.entries(changes))
      after.set(section, changed(plane, section, after.get(section), values ?? {}));
    warnings.push(...requireValid(plane, opened(plane, after)));
    for (const section of Object.keys(changes)) {
      const value = sealed(plane, section, after.get(section) ?? {});
      if (rows.has(section)) await work.update(settingResource, section, { value });
      else await work.create(settingResource, { id: section, value, extra: {} });
    }
  });
  await plane.reloadModels();
  return warnings;
}

/** What is kept in the store, secrets left out. */
export async function storedSettings(plane: ControlPlane): Promise<StoredSettings> {
  const rows = sectionsOf(await plane.store.settings.list());
  const masked = (value: JsonObject) => Object.fromEntries(Object.keys(value).map((name) => [name, '********']));
  return Object.fromEntries(
    rows.map((row) => [row.id, row.id === 'environment_variables' ? masked(row.value) : publicParams(row.value)]),
  );
}

/** What is not a section of the configuration stands there under a name of its own. */
function sectionsOf(rows: readonly SettingRecord[]): readonly SettingRecord[] {
  return rows.filter(({ id }) => !id.startsWith(suspensionPrefix));
}

function changed(
  plane: ControlPlane,
  section: string,
  before: JsonObject | undefined,
  values: Readonly<Record<string, Json | SettingEdit>>,
): JsonObject {
  const after: JsonObject = { ...before };
  for (const [key, change] of Object.entries(values)) {
    const value = typeof change === 'function' ? change(openParams({ ...before }, plane.vault, section)[key]) : change;
    if (value === null) delete after[key];
    else after[key] = value;
  }
  return after;
}

function opened(plane: ControlPlane, settings: ReadonlyMap<string, JsonObject>): StoredSettings {
  return Object.fromEntries([...settings].map(([id, value]) => [id, openParams(value, plane.vault, id)]));
}

function sealed(plane: ControlPlane, section: string, value: JsonObject): JsonObject {
  return section === 'environment_variables'
    ? sealAll(value, plane.vault, section)
    : sealParams(value, plane.vault, section);
}

function requireValid(plane: ControlPlane, settings: StoredSettings): string[] {
  const found = plane.checkSettings(settings).map((one) => {
    const expected = one.expected === undefined ? '' : `; expected ${one.expected}`;
    const near = one.nearest === undefined ? '' : `; did you mean ${one.nearest}?`;
    return { ...one, text: `${one.path}: ${one.message}${expected}${near}` };
  });
  const errors = found.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return found.map(({ text }) => text);
  throw new GatewayError(
    'malformed_request',
    errors
      .slice(0, 5)
      .map(({ text }) => text)
      .join('; '),
    {
      param: errors[0]!.path,
    },
  );
}

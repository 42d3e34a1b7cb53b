import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../core/ports.ts';
import { providerDirectory } from '../providers/index.ts';
import { ConfigError, renderDiagnostics } from './diagnostic.ts';
import { LiveConfig } from './live-config.ts';
import { readStoredModel } from './load.ts';
import { prepareConfig } from './prepare.ts';

const model = (name: string, more = '') =>
  `model_list: [{model_name: ${name}, litellm_params: {model: openai/gpt-4o, api_key: k${more}}}]\n`;

/** A clock that is moved by hand; `pass` lets one interval go by and waits until the watcher looks out for the next. */
function handClock(): Clock & { pass(): Promise<void> } {
  let waiting: (() => void)[] = [];
  return {
    now: () => 0,
    tick: () => 0,
    setTimer(_, callback) {
      waiting.push(callback);
      return { cancel: () => (waiting = waiting.filter((other) => other !== callback)) };
    },
    async pass() {
      while (waiting.length === 0) await setImmediate();
      const due = waiting;
      waiting = [];
      for (const callback of due) callback();
      while (waiting.length === 0) await setImmediate();
    },
  };
}

const nothing = { models: [], credentials: new Map(), accessGroups: [], settings: {} };

function live(file: string) {
  const groups: string[][] = [];
  const reports: string[] = [];
  const config = new LiveConfig({
    prepare: (stored) => prepareConfig(file, {}, Date.UTC(2026, 10, 1), undefined, stored),
    directory: providerDirectory,
    masterKey: null,
    onSwap: (snapshot) => groups.push([...snapshot.groups.keys()]),
    onReport: (diagnostics, isRefused) => {
      reports.push(`${isRefused ? 'refused' : 'accepted'} ${renderDiagnostics(diagnostics).join(' ')}`.trim());
    },
  });
  return { config, groups, reports };
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'tollgate-live-'));
}

describe('a live configuration', () => {
  it('swaps a valid one in and keeps the old one when the new one is bad', () => {
    const file = join(newFolder(), 'config.yaml');
    writeFileSync(file, model('a'));
    const { config, groups, reports } = live(file);
    const first = config.snapshot;
    const firstId = [...first.deployments.keys()];

    writeFileSync(file, 'model_list: 5\n');
    expect(config.reload()).toBe(false);
    expect(config.snapshot).toBe(first);

    writeFileSync(file, `${model('a')}router_settings: {timeout: 5}\n`);
    expect(config.reload()).toBe(true);
    expect(config.snapshot.version).toBe(2);
    expect([...config.snapshot.deployments.keys()]).toEqual(firstId);
    expect(groups).toEqual([['a']]);
    expect(reports).toEqual([
      'accepted',
      `refused error: ${file}:1:13 model_list: found 5; expected a list of deployments`,
      'accepted',
    ]);
  });

  it('does not start without a valid one', () => {
    const file = join(newFolder(), 'config.yaml');
    expect(() => live(file)).toThrow(ConfigError);
    expect(() => live(file)).toThrow(`error: ${file} there is no such file`);
  });

  it('keeps stored models over a reload', () => {
    const file = join(newFolder(), 'config.yaml');
    writeFileSync(file, model('a'));
    const { config } = live(file);
    const stored = {
      id: 's',
      modelName: 'stored',
      params: { model: 'openai/x', api_key: 'k' },
      modelInfo: {},
      blocked: false,
    };
    config.setStored({ ...nothing, models: [readStoredModel(stored, {}).entry!] });
    writeFileSync(file, model('b'));
    config.reload();
    expect([...config.snapshot.groups.keys()]).toEqual(['b', 'stored']);
    expect(config.snapshot.version).toBe(3);
  });

  it('reads its price file, and refuses one that is not there', () => {
    const folder = newFolder();
    const file = join(folder, 'config.yaml');
    writeFileSync(
      join(folder, 'prices.json'),
      '{"gpt-4o": {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}}',
    );
    writeFileSync(file, `${model('a')}general_settings: {price_catalogue_file: prices.json}\n`);
    const { config, reports } = live(file);
    expect([...config.snapshot.deployments.values()][0]?.price?.rates).toEqual({ input: 1e9, output: 2e9 });
    rmSync(join(folder, 'prices.json'));
    expect(config.reload()).toBe(false);
    expect(reports.at(-1)).toContain('price_catalogue_file: cannot read the price file (ENOENT)');
  });
});

describe('watching', () => {
  it.each<[string, (folder: string, text: string) => void, (folder: string) => void]>([
    ['a file that is written again', (folder, text) => writeFileSync(join(folder, 'config.yaml'), text), () => {}],
    [
      'a file that an editor replaces',
      (folder, text) => {
        writeFileSync(join(folder, 'config.yaml.new'), text);
        renameSync(join(folder, 'config.yaml.new'), join(folder, 'config.yaml'));
      },
      () => {},
    ],
    [
      'a link that is turned to another folder',
      (folder, text) => {
        mkdirSync(join(folder, '..new'));
        writeFileSync(join(folder, '..new', 'config.yaml'), text);
        symlinkSync('..new', join(folder, '..data_tmp'));
        renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
      },
      (folder) => {
        mkdirSync(join(folder, '..old'));
        renameSync(join(folder, 'config.yaml'), join(folder, '..old', 'config.yaml'));
        symlinkSync('..old', join(folder, '..data'));
        symlinkSync('..data/config.yaml', join(folder, 'config.yaml'));
      },
    ],
  ])('sees %s', async (_, change, prepare) => {
    const folder = newFolder();
    writeFileSync(join(folder, 'config.yaml'), model('a'));
    prepare(folder);
    const { config, groups } = live(join(folder, 'config.yaml'));
    const clock = handClock();
    const watch = config.watch(clock);
    await clock.pass();
    change(folder, model('changed', ', rpm: 5'));
    await clock.pass();
    expect(groups).toEqual([]);
    await clock.pass();
    expect(groups).toEqual([['changed']]);
    await clock.pass();
    await clock.pass();
    expect(groups).toHaveLength(1);
    watch.close();
  });

  it('lays stored settings over the file, and does without them when the two do not go together', () => {
    const file = join(newFolder(), 'config.yaml');
    writeFileSync(file, `${model('a')}router_settings: {num_retries: 1, allowed_fails: 7}\n`);
    const { config, reports } = live(file);
    config.setStored({ ...nothing, settings: { router_settings: { num_retries: 5 } } });
    expect(config.snapshot.router).toMatchObject({ retries: 5, allowedFails: 7 });
    expect(config.checkSettings({ router_settings: { num_retries: 'many' } })).toMatchObject([
      { severity: 'error', path: 'router_settings.num_retries' },
    ]);
    expect(config.snapshot.router.retries).toBe(5);
    config.setStored({ ...nothing, settings: { router_settings: { num_retries: 'many' } } });
    expect(reports.at(-2)).toMatch(/^refused error: .*num_retries/);
    expect(config.snapshot.router.retries).toBe(5);
    config.setStored(nothing);
    expect(config.snapshot.router.retries).toBe(1);
    config.setStored({ ...nothing, settings: { general_settings: { master_key: 'sk-other' } } });
    expect(config.written.sections.general_settings?.master_key).toBeUndefined();
  });

  it('waits until a file stands still, reports a bad one once, and goes on when it is mended', async () => {
    const folder = newFolder();
    const file = join(folder, 'config.yaml');
    writeFileSync(file, model('a'));
    const { config, groups, reports } = live(file);
    const clock = handClock();
    const watch = config.watch(clock);
    await clock.pass();
    writeFileSync(file, 'include: later.yaml\n');
    await clock.pass();
    await clock.pass();
    await clock.pass();
    expect(reports.filter((report) => report.startsWith('refused'))).toHaveLength(1);
    writeFileSync(join(folder, 'later.yaml'), model('from-later'));
    await clock.pass();
    await clock.pass();
    expect(groups).toEqual([['from-later']]);
    watch.close();
  });
});

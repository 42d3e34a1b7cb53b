import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderDiagnostics } from './diagnostic.ts';
import { loadConfig } from './load.ts';

/** Writes files into a new folder and gives the path of the first. */
function folderWith(files: Record<string, string | Uint8Array>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-config-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return join(folder, Object.keys(files)[0]!);
}

const model = (name: string) => `model_list: [{model_name: ${name}, litellm_params: {model: openai/x, api_key: k}}]\n`;

describe('include', () => {
  it('concatenates lists, merges maps, and lets the including file win', () => {
    const file = folderWith({
      'main.yaml': `include: [models.yaml, settings.yaml]\n${model('a')}router_settings: {timeout: 1, num_retries: 3}\n`,
      'models.yaml': `include: more.yaml\n${model('b')}`,
      'more.yaml': model('c'),
      'settings.yaml': 'router_settings: {timeout: 9, cooldown_time: 7}\n',
    });
    const { config, files } = loadConfig(file, {});
    expect(config?.deployments.map((deployment) => deployment.group)).toEqual(['a', 'b', 'c']);
    expect(config?.sections.router_settings).toMatchObject({ timeout: 1, num_retries: 3, cooldown_time: 7 });
    expect(files).toHaveLength(4);
  });

  it('names the included file where a mistake stands', () => {
    const file = folderWith({
      'main.yaml': 'include: models.yaml\n',
      'models.yaml': 'model_list:\n  - model_name: a\n    litellm_params: {model: openai/x, rpm: much}\n',
    });
    expect(renderDiagnostics(loadConfig(file, {}).diagnostics)[0]).toMatch(
      /^skipped: models\.yaml:3:44 .*rpm: found text/,
    );
  });

  it('refuses circles, files that are not there, and wrong types', () => {
    const circle = folderWith({ 'main.yaml': 'include: other.yaml\n', 'other.yaml': 'include: main.yaml\n' });
    expect(renderDiagnostics(loadConfig(circle, {}).diagnostics)).toEqual([
      'error: other.yaml:1:10 include: main.yaml includes itself (main.yaml → other.yaml → main.yaml)',
    ]);
    const absent = folderWith({ 'main.yaml': 'include: nowhere.yaml\n' });
    const loaded = loadConfig(absent, {});
    expect(loaded.config).toBeUndefined();
    expect(renderDiagnostics(loaded.diagnostics)).toEqual([
      'error: nowhere.yaml there is no such file',
      `error: ${absent}:1:10 include: cannot use nowhere.yaml`,
    ]);
    const wrong = folderWith({ 'main.yaml': 'include: {a: b}\n' });
    expect(renderDiagnostics(loadConfig(wrong, {}).diagnostics)[0]).toContain(
      'expected a file name or a list of file names',
    );
  });
});

describe('a file that cannot be read', () => {
  it.each([
    ['nothing there', '/nowhere/config.yaml', 'there is no such file'],
    ['a folder', tmpdir(), 'this is a folder'],
    ['not text', folderWith({ 'main.yaml': new Uint8Array([0xff, 0xfe, 0x00]) }), 'the file is not UTF-8 text'],
  ])('%s', (_, file, reason) => {
    const { config, diagnostics } = loadConfig(file, {});
    expect(config).toBeUndefined();
    expect(renderDiagnostics(diagnostics)).toEqual([`error: ${file} ${reason}`]);
  });
});

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addressesWith, definitionOf, listWith, type NewProvider } from './new-provider.ts';

const provider: NewProvider = {
  id: 'nova_labs',
  name: "Nova's Labs",
  baseUrl: 'https://api.nova.example/v1',
  documentation: 'https://docs.nova.example/api',
  credentialVariable: 'NOVA_LABS_API_KEY',
  embeddings: true,
};

function source(file: string): string {
  return readFileSync(resolve(import.meta.dirname, '../src/providers', file), 'utf8');
}

describe('npm run new-provider', () => {
  it('writes a definition in the style of the others', () => {
    expect(definitionOf(provider).split('\n')).toEqual([
      "import { defineProvider } from '../define.ts';",
      '',
      'export const novaLabs = defineProvider({',
      "  id: 'nova_labs',",
      "  name: 'Nova\\'s Labs',",
      "  documentation: 'https://docs.nova.example/api',",
      "  baseUrl: 'https://api.nova.example/v1',",
      "  baseUrlVariable: 'NOVA_LABS_API_BASE',",
      "  credentialVariable: 'NOVA_LABS_API_KEY',",
      "  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },",
      '});',
      '',
    ]);
  });

  it('puts one line into the list and one import above it, each in its place', () => {
    const before = source('index.ts');
    const after = listWith(before, provider.id).split('\n');
    const added = after.filter((line) => !before.split('\n').includes(line));
    expect(added).toEqual(["import { novaLabs } from './nova_labs/index.ts';", '  novaLabs,']);
    expect(after).toHaveLength(before.split('\n').length + 2);
    const imports = after.flatMap((line) => /'\.\/(\w+)\/index\.ts'/.exec(line)?.[1] ?? []);
    expect(imports).toEqual([...imports].sort());
  });

  it('puts its address into the table that is tested', () => {
    const rows = addressesWith(source('compatible.test.ts'), provider).split('\n');
    expect(rows).toContain("  nova_labs: 'https://api.nova.example/v1',");
  });
});

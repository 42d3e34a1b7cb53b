import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const usage = `Adds a provider that is like OpenAI but for its address: its folder, its line in the list, its row in the test.

  npm run new-provider -- --id ID --name NAME --base-url URL --documentation URL [--credential-variable NAME] [--embeddings]

  --id                   the prefix in provider/model: small letters, digits, underscores
  --base-url             with the version path, as the provider documents it
  --documentation        the page that describes its wire format
  --credential-variable  holds the key where the configuration names none (default: ID_API_KEY)
  --embeddings           it offers /embeddings, too

What sets it apart from OpenAI goes into the new file: see "Adding a provider" in CONTRIBUTING.md.
`;

const root = resolve(import.meta.dirname, '..');

export interface NewProvider {
  readonly id: string;
  readonly name: string;
  readonly baseUrl: string;
  readonly documentation: string;
  readonly credentialVariable: string;
  readonly embeddings: boolean;
}

/** The provider's own file. */
export function definitionOf(provider: NewProvider): string {
  const { id, name, baseUrl, documentation, credentialVariable, embeddings } = provider;
  return `import { defineProvider } from '../define.ts';

export const ${exportName(id)} = defineProvider({
  id: '${id}',
  name: '${name.replaceAll("'", "\\'")}',
  documentation: '${documentation}',
  baseUrl: '${baseUrl}',
  baseUrlVariable: '${id.toUpperCase()}_API_BASE',
  credentialVariable: '${credentialVariable}',
${embeddings ? "  dialects: { chat: ['openai-chat'], embedding: ['openai-embeddings'] },\n" : ''}});
`;
}

/** The list with the provider in its place. */
export function listWith(list: string, id: string): string {
  const withImport = inserted(list, importLine, `import { ${exportName(id)} } from './${id}/index.ts';`);
  return inserted(withImport, entryLine, `  ${exportName(id)},`);
}

/** The table of addresses with the provider's row in its place. */
export function addressesWith(table: string, { id, baseUrl }: NewProvider): string {
  return inserted(table, addressLine, `  ${id}: '${baseUrl}',`);
}

const importLine = /^import \{ \w+ \} from '\.\/(\w+)\/index\.ts';$/;
const entryLine = /^ {2}(\w+),$/;
const addressLine = /^ {2}(\w+): '/;

/** Puts a line among those that match, before the first whose name comes later in the alphabet. */
function inserted(text: string, pattern: RegExp, line: string): string {
  const name = pattern.exec(line)?.[1] as string;
  const lines = text.split('\n');
  const matching = lines.flatMap((one, index) => (pattern.test(one) ? [index] : []));
  const later = matching.find((index) => (pattern.exec(lines[index] as string)?.[1] as string) > name);
  lines.splice(later ?? (matching.at(-1) as number) + 1, 0, line);
  return lines.join('\n');
}

function exportName(id: string): string {
  return id.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function refuse(message: string): never {
  process.stderr.write(`${message}\n\n${usage}`);
  process.exit(1);
}

function run(): void {
  const { values } = parseArgs({
    options: {
      id: { type: 'string' },
      name: { type: 'string' },
      'base-url': { type: 'string' },
      documentation: { type: 'string' },
      'credential-variable': { type: 'string' },
      embeddings: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const { id, name, documentation } = values;
  const baseUrl = values['base-url']?.replace(/\/+$/, '');
  if (id === undefined || !/^[a-z][a-z0-9_]*$/.test(id)) refuse('--id takes small letters, digits and underscores.');
  if (name === undefined || name === '') refuse('--name is missing: the name for people.');
  if (baseUrl === undefined || !URL.canParse(baseUrl)) refuse('--base-url takes an address such as https://host/v1.');
  if (documentation === undefined || !URL.canParse(documentation))
    refuse('--documentation takes the address of a page.');
  const folder = `${root}/src/providers/${id}`;
  if (existsSync(folder)) refuse(`There is a provider ${id} already: src/providers/${id}.`);
  const credentialVariable = values['credential-variable'] ?? `${id.toUpperCase()}_API_KEY`;
  const provider = { id, name, baseUrl, documentation, credentialVariable, embeddings: values.embeddings };
  mkdirSync(folder);
  writeFileSync(`${folder}/index.ts`, definitionOf(provider));
  edit('src/providers/index.ts', (list) => listWith(list, id));
  edit('src/providers/compatible.test.ts', (table) => addressesWith(table, provider));
  process.stdout.write(`src/providers/${id}/index.ts is there. Now: npm run vitest -- run src/providers\n`);
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(`${root}/${file}`, change(readFileSync(`${root}/${file}`, 'utf8')));
}

if (import.meta.main) run();

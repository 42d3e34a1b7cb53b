import type { Dialect } from '../../src/core/dialect.ts';
import type { DialectName, Operation } from '../../src/core/operation.ts';
import { dialects } from '../../src/dialects/index.ts';
import { dataPaths, matchRoute } from '../../src/gateway/operations.ts';
import { providers } from '../../src/providers/index.ts';
import { features } from './features.ts';
import { type Finding, observe } from './observe.ts';
import { reasons, remarks } from './reasons.ts';

const signs: Readonly<Record<Finding, string>> = {
  yes: '●',
  fetched: '◉',
  caller: '–',
  refused: '○',
  hint: '◌',
  lost: '**lost**',
};

/** Formats of text chat that callers speak, and those that providers are spoken to in. */
export const callerDialects: readonly Dialect[] = chatDialects(
  new Set(dataPaths.flatMap((path) => matchRoute(path.replace('{model}', 'm'))?.route.dialect ?? [])),
);
export const providerDialects: readonly Dialect[] = chatDialects(
  // What comes after a provider's best format is for callers who speak that one themselves. Some models know Responses alone.
  new Set(['openai-responses', ...providers.flatMap((provider) => provider.dialects.chat?.[0] ?? [])]),
);

function chatDialects(names: ReadonlySet<DialectName>): readonly Dialect[] {
  return [...dialects.values()].filter(({ name, operation }) => operation === 'chat' && names.has(name));
}

/** docs/support.md, from what is seen when every feature is sent from every format to every other. */
export function supportPage(): string {
  return `# What works with what

Made by \`npm run docs\` from what is seen when each feature travels, as real bytes, from a caller's format to a provider's and back. A test
fails when this page is not what the code does. ● arrives · ◉ the provider takes bytes only: the gateway fetches what the address names, and sends those
(public addresses, within limits) · ○ the provider's format cannot say it; the caller is told so, with the field · ◌ left out, because it means nothing
there · – the caller's own format has no way to ask for it, or no place to be told it.

${providerDialects.map(tableOf).join('\n\n')}

## Providers

The formats that each provider is spoken to in, best first; a caller's own is taken when it is among them, and then its bytes pass through
unchanged. The page named describes the provider's format. Addresses and headers are
tested against what it says as far as we know it; the formats of text chat also against the vendors' own clients and against a second fake provider that
others wrote. No provider was called with a paid account, and no recorded answers are kept. Formats that only one vendor speaks were compared, field by field, with
what the last column names.

| provider | prefix | formats | described at | compared with |
| --- | --- | --- | --- | --- |
${[...providers]
  .sort((one, other) => one.name.localeCompare(other.name))
  .map(({ name, id, aliases, dialects: spoken, documentation, checkedAgainst = '' }) => {
    const prefixes = [id, ...aliases].map((prefix) => `\`${prefix}/\``).join(' ');
    return `| ${name} | ${prefixes} | ${formatsOf(spoken)} | ${documentation} | ${checkedAgainst} |`;
  })
  .join('\n')}
`;
}

function tableOf(provider: Dialect): string {
  const head = callerDialects.map(({ name }) => name).join(' | ');
  const rows = features.map((feature) => {
    const cells = callerDialects.map((caller) => signs[observe(feature, caller, provider)]);
    return `| ${feature.name} | ${cells.join(' | ')} |`;
  });
  const lines = [`| | ${head} |`, `| --- |${' --- |'.repeat(callerDialects.length)}`, ...rows];
  const why = (reasons[provider.name] ?? []).map((reason) => `- ○ ${reason.rows.join(', ')}: ${reason.why}.`);
  const remark = remarks[provider.name];
  return [
    `## To providers that speak \`${provider.name}\``,
    lines.join('\n'),
    ...(remark === undefined ? [] : [remark]),
    ...(why.length === 0 ? [] : [why.join('\n')]),
  ].join('\n\n');
}

function formatsOf(spoken: Partial<Record<Operation, readonly DialectName[]>>): string {
  return [...new Set(Object.values(spoken).flat())].map((name) => name).join(', ');
}

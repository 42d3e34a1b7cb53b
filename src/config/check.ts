import type { ProviderDirectory } from '../core/provider.ts';
import type { Deployment, Snapshot } from '../core/route.ts';
import { table } from '../core/text-table.ts';
import { type Diagnostic, isRefused, renderDiagnostics } from './diagnostic.ts';
import type { Environment } from './environment.ts';
import { prepareConfig } from './prepare.ts';
import type { ReadText } from './read-file.ts';
import { buildSnapshot } from './snapshot.ts';

export interface CheckedRoute {
  readonly model: string;
  readonly deployment: string;
  readonly provider: string;
  readonly upstreamModel: string;
  /** Without credentials. */
  readonly address: string;
  readonly weight: number | null;
  readonly order: number | null;
  readonly rpm: number | null;
  readonly tpm: number | null;
  readonly parallelMax: number | null;
  /** US dollars per million tokens; null = not known. */
  readonly inputPrice: number | null;
  readonly outputPrice: number | null;
  readonly priceSource: string | null;
  readonly fallbacks: readonly string[];
  readonly unusable: string | null;
}

export interface CheckedConfig {
  readonly file: string;
  readonly valid: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly strategy: string | null;
  readonly aliases: Readonly<Record<string, string>>;
  /** Names that stand for several groups by how hard a request is: tier → groups. */
  readonly complexityRouters: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly routes: readonly CheckedRoute[];
}

/**
 * What a configuration file means, for people (`text`) and programs (`json`). Exit code 0: it can be started as it is (there may
 * be warnings); 1: it is refused, or a deployment would be left out.
 */
export function checkConfig(
  file: string,
  environment: Environment,
  sources: { readonly directory: ProviderDirectory; readonly date: number; readonly readText?: ReadText },
): { readonly text: string; readonly json: CheckedConfig; readonly exitCode: 0 | 1 } {
  const prepared = prepareConfig(file, environment, sources.date, sources.readText);
  const { config, catalogue } = prepared;
  const built =
    config === undefined
      ? undefined
      : buildSnapshot({
          config,
          catalogue,
          directory: sources.directory,
          masterKey: null,
          version: 1,
        });
  const diagnostics = [...prepared.diagnostics, ...(built?.diagnostics ?? [])];
  const json: CheckedConfig = {
    file,
    valid: !isRefused(diagnostics),
    diagnostics,
    strategy: built?.snapshot.router.strategy ?? null,
    aliases: Object.fromEntries([...(built?.snapshot.aliases ?? [])].map(([alias, { group }]) => [alias, group])),
    complexityRouters: Object.fromEntries(
      [...(built?.snapshot.complexityRoutes ?? [])].map(([name, { tiers, otherwise }]) => [
        name,
        { ...tiers, otherwise: [otherwise] },
      ]),
    ),
    routes: built === undefined ? [] : routesOf(built.snapshot),
  };
  const isClean = json.valid && !diagnostics.some(({ severity }) => severity === 'skipped');
  return { text: render(json), json, exitCode: isClean ? 0 : 1 };
}

function routesOf(snapshot: Snapshot): CheckedRoute[] {
  const groups = [...snapshot.groups.values(), ...snapshot.wildcards];
  return groups.flatMap(({ name, deployments }) =>
    deployments.map((deployment) => routeOf(name, deployment, snapshot)),
  );
}

function routeOf(model: string, deployment: Deployment, { router }: Snapshot): CheckedRoute {
  const perMillion = (rate: number | undefined) => (rate === undefined ? null : rate / 1e9);
  return {
    model,
    deployment: deployment.id,
    provider: deployment.provider.id,
    upstreamModel: deployment.model,
    address: deployment.apiBase,
    weight: deployment.weight,
    order: deployment.order,
    rpm: deployment.rpm,
    tpm: deployment.tpm,
    parallelMax: deployment.parallelMax,
    inputPrice: perMillion(deployment.price?.rates.input),
    outputPrice: perMillion(deployment.price?.rates.output),
    priceSource: deployment.price?.source ?? null,
    fallbacks: router.fallbacks.get(model) ?? router.defaultFallbacks.filter((name) => name !== model),
    unusable: deployment.unusable,
  };
}

function render(checked: CheckedConfig): string {
  const lines = renderDiagnostics(checked.diagnostics);
  if (lines.length > 0) lines.push('');
  if (!checked.valid) return `${[...lines, `${checked.file} is not valid`].join('\n')}\n`;
  lines.push(`${checked.file} is valid; strategy ${checked.strategy}`, '');
  const header = [
    'MODEL',
    'PROVIDER',
    'UPSTREAM MODEL',
    'ADDRESS',
    'LIMITS',
    '$/M IN',
    '$/M OUT',
    'FALLBACKS',
    'DEPLOYMENT',
  ];
  const rows = checked.routes.map((route) => [
    route.model,
    route.provider,
    route.upstreamModel,
    route.address,
    limitsText(route),
    priceText(route.inputPrice),
    priceText(route.outputPrice),
    route.fallbacks.join(', ') || '-',
    route.deployment.slice(0, 12) + (route.unusable === null ? '' : ` unusable: ${route.unusable}`),
  ]);
  lines.push(table(header, rows));
  for (const [alias, group] of Object.entries(checked.aliases)) lines.push(`alias ${alias} → ${group}`);
  for (const [name, tiers] of Object.entries(checked.complexityRouters)) {
    const told = Object.entries(tiers).map(([tier, groups]) => `${tier} ${groups.join(', ')}`);
    lines.push(`router ${name} → ${told.join('; ')}`);
  }
  return `${lines.join('\n')}\n`;
}

function limitsText(route: CheckedRoute): string {
  const parts = [
    route.weight === null ? '' : `weight ${route.weight}`,
    route.order === null ? '' : `order ${route.order}`,
    route.rpm === null ? '' : `rpm ${route.rpm}`,
    route.tpm === null ? '' : `tpm ${route.tpm}`,
    route.parallelMax === null ? '' : `parallel ${route.parallelMax}`,
  ].filter((part) => part !== '');
  return parts.join(' ') || '-';
}

function priceText(dollars: number | null): string {
  return dollars === null ? 'unknown' : String(Number(dollars.toPrecision(6)));
}

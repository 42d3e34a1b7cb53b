import { freePrice, type Price } from '../core/price.ts';
import type { Provider, ProviderEndpoint } from '../core/provider.ts';
import { type Deployment, type PassThroughTarget, plainDeployment } from '../core/route.ts';
import { Secret } from '../core/secret.ts';
import type { Path } from './diagnostic.ts';

/** `general_settings.pass_through_endpoints` as written. */
export interface WrittenPassThrough {
  readonly path?: string | undefined;
  readonly target?: string | undefined;
  readonly headers?: Readonly<Record<string, unknown>> | undefined;
  readonly default_query_params?: Readonly<Record<string, unknown>> | undefined;
  readonly include_subpath?: boolean | undefined;
  readonly forward_headers?: boolean | undefined;
  readonly auth?: boolean | undefined;
  readonly cost_per_request?: number | undefined;
  readonly timeout?: number | undefined;
  readonly methods?: readonly string[] | undefined;
}

type Report = (severity: 'warning' | 'skipped', path: Path, message: string) => void;

const secretLengthMin = 8;
const base: Path = ['general_settings', 'pass_through_endpoints'];

/** Paths that the operator opens to an address of their choice, each like a deployment of a provider of its own. */
export function passThroughsOf(
  written: readonly WrittenPassThrough[] | undefined,
  report: Report,
): { readonly targets: readonly PassThroughTarget[]; readonly secrets: readonly Secret[] } {
  const targets: PassThroughTarget[] = [];
  const secrets: Secret[] = [];
  for (const [index, one] of (written ?? []).entries()) {
    const place: Path = [...base, index];
    const { path, target } = one;
    if (path === undefined || !path.startsWith('/') || path.length < 2) {
      report('skipped', [...place, 'path'], 'expected a path such as /my-service; endpoint skipped');
      continue;
    }
    if (target === undefined || !/^https?:\/\//.test(target) || !URL.canParse(target)) {
      report('skipped', [...place, 'target'], 'expected an address such as https://host/path; endpoint skipped');
      continue;
    }
    if (one.auth === false) {
      report(
        'warning',
        [...place, 'auth'],
        'a key is asked for at every path: what is sent on is paid by the operator',
      );
    }
    const headers = Object.entries(one.headers ?? {}).flatMap(([name, value]) => [name.toLowerCase(), String(value)]);
    for (let at = 1; at < headers.length; at += 2) {
      const value = headers[at]!.replace(/^\w+ /, '');
      if (value.length >= secretLengthMin) secrets.push(new Secret(value));
    }
    targets.push({
      path: path.replace(/\/+$/, ''),
      includesSubpaths: one.include_subpath ?? false,
      forwardsHeaders: one.forward_headers ?? false,
      methods: one.methods?.map((method) => method.toUpperCase()) ?? null,
      query: new URLSearchParams(
        Object.entries(one.default_query_params ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
      ).toString(),
      deployment: deploymentOf(path, new URL(target), headers, one),
    });
  }
  // The longest path that fits is the one that is meant.
  targets.sort((a, b) => b.path.length - a.path.length);
  return { targets, secrets };
}

function deploymentOf(path: string, target: URL, headers: readonly string[], written: WrittenPassThrough): Deployment {
  const { cost_per_request: dollars, timeout } = written;
  const prefix = target.pathname.replace(/\/+$/, '');
  const endpoint: ProviderEndpoint = {
    origin: target.origin,
    headers,
    path: () => prefix,
    modelsPath: null,
  };
  const traits = { reasoningModel: false, supportsJsonSchema: true, supportsImageUrls: true, unsupportedParams: [] };
  const provider: Provider = {
    id: 'pass_through',
    aliases: [],
    name: path,
    documentation: '',
    dialects: { pass_through: ['pass-through'] },
    catalogueIds: [],
    credentialVariable: null,
    baseUrlVariable: null,
    defaultBaseUrl: null,
    requiresCredential: false,
    otherCredentialVariables: [],
    environmentVariables: [],
    authorizesItself: () => false,
    usageInStream: 'always',
    stopsOnHangup: true,
    ownsModel: () => false,
    traits: () => traits,
    endpoint: () => endpoint,
  };
  const price: Price = Object.freeze({ ...freePrice, perRequest: Math.round((dollars ?? 0) * 1e9) });
  return Object.freeze({
    ...plainDeployment,
    id: `pass_through:${path}`,
    group: path,
    provider,
    endpoint,
    model: path,
    apiBase: target.origin + prefix,
    operations: ['pass_through'],
    price,
    timeouts: timeout === undefined ? {} : { attemptMs: timeout * 1_000, firstByteMs: timeout * 1_000 },
    retries: 0,
    cooldownMs: 0,
    traits,
  } satisfies Deployment);
}

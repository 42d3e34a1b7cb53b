import { GatewayError } from '../../core/errors.ts';
import type { Identified } from '../../core/exchange.ts';
import type { Deployment } from '../../core/route.ts';
import type { TranscriptSettings } from '../../core/session-format.ts';
import { deniedBy, modelDenied } from '../access/model-access.ts';
import { upstreamModel } from '../call/translate.ts';
import { findModel } from '../routing/model-lookup.ts';

/** Who writes down what is said in a session: a model of the session's provider, under its own price and limits. */
export interface Transcriber {
  /** As the caller, or the provider, calls it. */
  readonly name: string;
  /** As the provider calls it. */
  readonly model: string;
  readonly deployment: Deployment;
  readonly promptBytes: number;
}

/**
 * The model that a session's settings name. One that is configured at the session's provider, by its public name or by the
 * provider's own, counts as that deployment, under its price; any other name is the provider's, at its public price; where
 * none is known, a token of it costs what one of the session's model costs. Throws GatewayError for a model that the key may
 * not use.
 */
export function transcriberOf(
  identified: Identified,
  session: Deployment,
  { model: named = session.model, promptBytes }: TranscriptSettings,
): Transcriber {
  const { principal, snapshot } = identified;
  const name = Object.hasOwn(principal.modelAliases, named) ? principal.modelAliases[named]! : named;
  const found = findModel(snapshot, name);
  const here = found?.group.deployments.filter((deployment) => servesIn(deployment, session, principal.teamId)) ?? [];
  const configured =
    here.find(({ id }) => id === session.id) ??
    here.find((deployment) => isSameAccount(deployment, session)) ??
    here[0] ??
    calledByProvider(identified, session, name);
  const deployment = configured ?? unconfigured(identified, session, name);
  const group = configured?.group ?? found?.group.name ?? name;
  const rule = deniedBy(principal, { asked: name, group, deployments: [deployment] }, snapshot);
  if (rule !== null) throw modelDenied(rule, name, snapshot);
  if (configured?.blocked) {
    throw new GatewayError('no_capable_deployment', `${name} cannot be used for transcripts: it is blocked.`);
  }
  const matches = here.length > 0 ? (found?.wildcardMatches ?? null) : null;
  return { name, model: upstreamModel(deployment, matches), deployment, promptBytes };
}

/** The model that the provider says it uses, whatever was asked for: what it does is paid for. */
export function providersTranscriber(
  identified: Identified,
  session: Deployment,
  { model = session.model, promptBytes }: TranscriptSettings,
): Transcriber {
  const deployment = calledByProvider(identified, session, model) ?? unconfigured(identified, session, model);
  return { name: model, model, deployment, promptBytes };
}

/** The deployment of a model by the name that the provider has for it. */
function calledByProvider(
  { snapshot, principal }: Identified,
  session: Deployment,
  model: string,
): Deployment | undefined {
  const theirs = [...snapshot.deployments.values()].filter(
    (deployment) => deployment.model === model && servesIn(deployment, session, principal.teamId),
  );
  return theirs.find((deployment) => isSameAccount(deployment, session)) ?? theirs[0];
}

function unconfigured({ snapshot }: Identified, session: Deployment, model: string): Deployment {
  const known = snapshot.publicFacts?.(session.provider, model);
  const price = known?.price ?? session.price;
  return { ...session, group: model, model, price, limits: known?.limits ?? session.limits };
}

function servesIn({ provider, operations, teamId }: Deployment, session: Deployment, team: string | null): boolean {
  return (
    provider.id === session.provider.id &&
    (operations.includes('transcription') || operations.includes('realtime')) &&
    (teamId === null || teamId === team)
  );
}

function isSameAccount({ endpoint }: Deployment, session: Deployment): boolean {
  return (
    [endpoint.origin, ...endpoint.headers].join('\n') ===
    [session.endpoint.origin, ...session.endpoint.headers].join('\n')
  );
}

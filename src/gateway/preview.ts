import { GatewayError } from '../core/errors.ts';
import type { ClientPresence } from '../core/exchange.ts';
import type { JsonObject } from '../core/json.ts';
import { scrub } from '../core/scrub.ts';
import type { Arrival } from './arrival.ts';
import { authenticate } from './authenticate.ts';
import { dialectFor, requestBody, spokenTo, upstreamModel } from './call/translate.ts';
import type { Gateway } from './gateway.ts';
import { matchRoute } from './operations.ts';
import { plan } from './plan.ts';
import { beginRequest, receive } from './receive.ts';

/** What a provider would be sent, credentials left out. */
export interface RequestPreview {
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
}

const alwaysThere: ClientPresence = Object.freeze({ gone: false, onGone() {} });

/**
 * A request as the first of its deployments would get it. It is planned and translated like every other, but nothing is held,
 * sent or put on record. `keyId`: whose request it would be. Throws GatewayError as the request itself would be refused.
 */
export async function previewRequest(
  gateway: Gateway,
  keyId: string,
  path: string,
  body: JsonObject,
): Promise<RequestPreview> {
  const matched = matchRoute(path);
  if (matched === undefined || matched.route.form !== undefined) {
    throw new GatewayError('malformed_request', `call_type: ${path} has no JSON body that could be shown.`, {
      param: 'call_type',
    });
  }
  const arrival: Arrival = {
    matched,
    path,
    query: '',
    headers: {},
    bytes: Buffer.from(JSON.stringify(body)),
    clientAddress: null,
    client: alwaysThere,
    arrivedTick: gateway.clock.tick(),
  };
  const received = receive(gateway, arrival, beginRequest(gateway, arrival));
  const identified = await authenticate(gateway, received, matched.route.routeGroups, keyId);
  const planned = plan(gateway, identified);
  const { primary } = planned.route;
  const deployment = primary.candidates[0]!;
  const { endpoint } = deployment;
  const dialect = dialectFor(gateway, planned, deployment);
  const speaks = spokenTo(planned, deployment) ?? dialect.name;
  const model = upstreamModel(deployment, primary.wildcardMatches);
  const target = { deployment, group: primary.name, endpoint, model, dialect, speaks, overrides: null };
  const bytes = await requestBody(gateway, planned, target);
  const { secrets } = planned.snapshot;
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  for (let index = 0; index < endpoint.headers.length; index += 2) {
    const name = endpoint.headers[index]!;
    headers[name] = secretHeaders.test(name) ? '*****' : scrub(endpoint.headers[index + 1]!, secrets);
  }
  return {
    address: endpoint.origin + endpoint.path(speaks, model, planned.facts.stream),
    headers,
    body: JSON.parse(bytes.toString()) as JsonObject,
  };
}

const secretHeaders = /auth|key|token|secret|cookie/i;

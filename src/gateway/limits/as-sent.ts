import type { Planned } from '../../core/exchange.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Deployment } from '../../core/route.ts';
import { addressed } from '../receive/call-address.ts';

/** What no price follows from, or what the bound of the output counts by itself. */
const indifferent: ReadonlySet<string> = new Set([
  'frequency_penalty',
  'max_completion_tokens',
  'max_output_tokens',
  'max_tokens',
  'metadata',
  'presence_penalty',
  'seed',
  'stop',
  'temperature',
  'top_k',
  'top_p',
  'user',
]);

/**
 * The request as it was asked and, where the operator adds to it or takes away, as it is sent there: without a `quality`
 * the provider may choose a dearer one, and a tool that is added may search.
 */
export function asSent(planned: Planned, deployment: Deployment): readonly Planned[] {
  const { defaults, extraBody, additionalDropParams, traits } = deployment;
  const asked = planned.body;
  const added = [
    ...Object.keys(defaults).filter((name) => asked[name] === undefined),
    ...Object.keys(extraBody),
  ].filter((name) => !indifferent.has(name));
  const dropped = [...additionalDropParams, ...traits.unsupportedParams].filter(
    (name) => asked[name] !== undefined && !indifferent.has(name),
  );
  if (added.length === 0 && dropped.length === 0) return [planned];
  const body: JsonObject = { ...defaults, ...asked, ...extraBody };
  for (const name of dropped) delete body[name];
  const { address, dialect } = planned;
  try {
    return [planned, { ...planned, body, facts: addressed(dialect.inspect(body, address), address) }];
  } catch {
    // In the words of another format, or refused when it is written.
    return [planned];
  }
}

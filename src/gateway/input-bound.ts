import { isAscii } from 'node:buffer';
import type { Planned } from '../core/exchange.ts';
import type { Deployment } from '../core/route.ts';

/** Tokens that a chat template and a provider's own tool instructions may add; the largest documented is below 1,000. */
const templateTokens = 64;
const toolInstructionTokens = 1_000;

/**
 * The most input tokens a request can become at a deployment; null when nothing bounds it (remote or inline media, or
 * provider-run searches, at a model whose context size is not known). A tokenizer that starts from bytes makes no more
 * tokens than there are UTF-8 bytes, and JSON never writes a text in fewer bytes than it has.
 */
export function inputTokensMaxOf(planned: Planned, deployment: Deployment, inputBytes: number): number | null {
  const { facts } = planned;
  const { needs, webSearchCallsMax } = facts;
  const contextMax = deployment.limits.inputTokensMax;
  const searches = webSearchCallsMax ?? searchesAssumed;
  if (facts.inputUnbounded || needs.vision || needs.audio || needs.files || searches > 0) {
    // Every search turn reads the whole context again.
    return contextMax === null ? null : contextMax * (searches + 1);
  }
  const bound = inputBytes + templateTokens + (needs.tools ? toolInstructionTokens : 0);
  return contextMax === null ? bound : Math.min(bound, contextMax);
}

/** Provider-run searches of a request that does not limit them. */
export const searchesAssumed = 10;

/**
 * Bytes of the input as the least favourable tokenizer sees it: some normalise first (Unicode NFKC), and a few
 * characters become longer by that. ASCII never does.
 */
export function inputBytesOf({ bytes, body, options }: Planned): number {
  let most = bytes.length;
  const escaped = bytes.includes('\\u');
  if (escaped || !isAscii(bytes)) {
    const text = escaped ? JSON.stringify(body) : bytes.toString('utf8');
    most = Math.max(most, Buffer.byteLength(text.normalize('NFKC')));
  }
  if (options.fallbacks !== null) most += Buffer.byteLength(JSON.stringify(options.fallbacks));
  return most;
}

import { isAscii } from 'node:buffer';
import type { Planned } from '../../core/exchange.ts';
import { hasNumberedCharacters } from '../../core/numbered-characters.ts';
import type { Deployment } from '../../core/route.ts';

/**
 * Tokens that a chat template and a provider's own instructions for tools may add; the largest documented is below 1,000.
 * An answer in a given shape may be made through a tool, or with instructions of its own.
 */
const templateTokens = 64;
const toolInstructionTokens = 1_000;

/**
 * The most input tokens a request can become at a deployment; null when nothing bounds it (remote or inline media, or
 * provider-run searches, at a model whose context size is not known). A tokenizer that starts from bytes makes no more
 * tokens than there are UTF-8 bytes, and JSON never writes a text in fewer bytes than it has.
 */
export function inputTokensMaxOf(
  { facts, body }: Pick<Planned, 'facts' | 'body'>,
  deployment: Deployment,
  inputBytes: number,
): number | null {
  const { needs, webSearchCallsMax } = facts;
  const contextMax = deployment.limits.inputTokensMax;
  const searches = webSearchCallsMax ?? searchesAssumed;
  if (facts.inputUnbounded || needs.vision || needs.audio || needs.files || searches > 0) {
    // Every search turn reads the whole context again.
    return contextMax === null ? null : contextMax * (searches + 1);
  }
  const additions = additionsOf(deployment);
  const isInstructed = needs.tools || needs.jsonSchema || isGiven(body.response_format) || additions.areInstructions;
  const media = facts.mediaTokensMax ?? 0;
  const bound = inputBytes + media + additions.bytes + templateTokens + (isInstructed ? toolInstructionTokens : 0);
  return contextMax === null ? bound : Math.min(bound, contextMax);
}

interface Additions {
  readonly bytes: number;
  readonly areInstructions: boolean;
}

const nothingAdded: Additions = Object.freeze({ bytes: 0, areInstructions: false });
const additionsByDeployment = new WeakMap<Deployment, Additions>();

/** What the operator adds to every request at a deployment (`extra_body`, defaults): the model may have to read it. */
function additionsOf(deployment: Deployment): Additions {
  const known = additionsByDeployment.get(deployment);
  if (known !== undefined) return known;
  const added = { ...deployment.defaults, ...deployment.extraBody };
  const additions =
    Object.keys(added).length === 0
      ? nothingAdded
      : {
          bytes: normalisedBytes(JSON.stringify([deployment.defaults, deployment.extraBody])),
          areInstructions: isGiven(added.tools) || isGiven(added.functions) || isGiven(added.response_format),
        };
  additionsByDeployment.set(deployment, additions);
  return additions;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function normalisedBytes(text: string): number {
  return Math.max(Buffer.byteLength(text), Buffer.byteLength(text.normalize('NFKC')));
}

/** Provider-run searches of a request that does not limit them. */
export const searchesAssumed = 10;

/**
 * Bytes of the input as the least favourable tokenizer sees it: some normalise first (Unicode NFKC), and a few
 * characters become longer by that. ASCII never does.
 */
export function inputBytesOf({ bytes, body, options }: Planned): number {
  let most = bytes.length;
  const escaped = hasNumberedCharacters(bytes);
  if (escaped || !isAscii(bytes)) {
    const text = escaped ? JSON.stringify(body) : bytes.toString('utf8');
    most = Math.max(most, Buffer.byteLength(text.normalize('NFKC')));
  }
  if (options.fallbacks !== null) most += Buffer.byteLength(JSON.stringify(options.fallbacks));
  return most;
}

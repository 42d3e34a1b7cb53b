import type { ContentBlock, NeutralMessage } from '../core/neutral.ts';
import { sealed, unsealed } from './reasoning-seal.ts';

/*
 * Google's signatures travel under the seal of their format (see reasoning-seal.ts). It signs calls, too, which no other
 * format has a place for: the signature of a call travels in its id, which every client sends back.
 */

const callMark = '__thought__';
/** What a caller that speaks Google's format gets for a signature of somebody else: base64, as its format wants. */
const wrappedPrefix = 'signature of another provider:';
const wrappedRedactedPrefix = 'redacted by another provider:';

export function googleSignature(thoughtSignature: string): string {
  return sealed('gemini-generate', thoughtSignature);
}

/** Google's own signature in a neutral one; undefined when it is somebody else's. */
export function ownGoogleSignature(signature: string | undefined): string | undefined {
  return signature === undefined ? undefined : unsealed('gemini-generate', signature);
}

export interface SignedReasoning {
  readonly signature?: string;
  readonly redacted?: string;
}

/** What stands in `thoughtSignature` for a caller, whoever signed. */
export function tellGoogleCaller({ signature, redacted }: SignedReasoning): string | undefined {
  if (redacted !== undefined) return Buffer.from(wrappedRedactedPrefix + redacted).toString('base64');
  if (signature === undefined) return undefined;
  return ownGoogleSignature(signature) ?? Buffer.from(wrappedPrefix + signature).toString('base64');
}

/** The other way round. */
export function fromGoogleCaller(thoughtSignature: string): SignedReasoning {
  const text = Buffer.from(thoughtSignature.slice(0, 64), 'base64').toString('latin1');
  if (!text.startsWith(wrappedPrefix) && !text.startsWith(wrappedRedactedPrefix)) {
    return { signature: googleSignature(thoughtSignature) };
  }
  const whole = Buffer.from(thoughtSignature, 'base64').toString();
  return whole.startsWith(wrappedPrefix)
    ? { signature: whole.slice(wrappedPrefix.length) }
    : { redacted: whole.slice(wrappedRedactedPrefix.length) };
}

/** The id under which a signed call is told to callers of other formats. */
export function signedCallId(id: string, thoughtSignature: string | undefined): string {
  if (thoughtSignature === undefined) return id;
  return id + callMark + Buffer.from(thoughtSignature).toString('base64url');
}

/** The call's own id, and the signature that came along in it. */
export function splitCallId(id: string): { readonly id: string; readonly thoughtSignature: string | undefined } {
  const at = id.indexOf(callMark);
  if (at === -1) return { id, thoughtSignature: undefined };
  const thoughtSignature = Buffer.from(id.slice(at + callMark.length), 'base64url').toString();
  return { id: id.slice(0, at), thoughtSignature };
}

/** An id as other providers may see it: they bound its length. */
export function plainCallId(id: string): string {
  const at = id.indexOf(callMark);
  return at === -1 ? id : id.slice(0, at);
}

/** A history as other providers may see it; the same list where no call in it is signed. */
export function withPlainCallIds(messages: readonly NeutralMessage[]): readonly NeutralMessage[] {
  const isSigned = (block: ContentBlock) =>
    (block.type === 'tool_call' && block.id.includes(callMark)) ||
    (block.type === 'tool_result' && block.toolCallId.includes(callMark));
  if (!messages.some(({ content }) => content.some(isSigned))) return messages;
  return messages.map((message) => ({
    ...message,
    content: message.content.map((block) => {
      if (block.type === 'tool_call') return { ...block, id: plainCallId(block.id) };
      return block.type === 'tool_result' ? { ...block, toolCallId: plainCallId(block.toolCallId) } : block;
    }),
  }));
}

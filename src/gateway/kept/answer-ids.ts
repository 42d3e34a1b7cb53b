import { createHmac, timingSafeEqual } from 'node:crypto';

const nativePrefix = 'resp_n';
const ownPrefix = 'resp_g';
const proofBytes = 16;
const proofLength = Math.ceil((proofBytes * 4) / 3);

/** An answer that its provider keeps. */
export interface NativeAnswer {
  readonly deploymentId: string;
  /** As the provider calls it. */
  readonly id: string;
}

/**
 * Ids of answers as callers see them. What a provider keeps is named by an id that says where, proved for its owner: nothing
 * has to be written down for it, and in anybody else's hands it is as good as no id. What the gateway keeps is looked up.
 */
export class AnswerIds {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  native(owner: string, { deploymentId, id }: NativeAnswer): string {
    const told = Buffer.from(JSON.stringify([deploymentId, id])).toString('base64url');
    return nativePrefix + told + this.#proof(owner, told);
  }

  /** undefined for anything but an id that was given to this owner. */
  nativeOf(owner: string, text: string): NativeAnswer | undefined {
    if (!text.startsWith(nativePrefix) || text.length <= nativePrefix.length + proofLength) return undefined;
    const told = text.slice(nativePrefix.length, -proofLength);
    const proof = Buffer.from(text.slice(-proofLength));
    const right = Buffer.from(this.#proof(owner, told));
    if (proof.length !== right.length || !timingSafeEqual(proof, right)) return undefined;
    const [deploymentId, id] = JSON.parse(Buffer.from(told, 'base64url').toString()) as [string, string];
    return { deploymentId, id };
  }

  own(requestId: string): string {
    return ownPrefix + requestId.slice(-36).replaceAll(/[^A-Za-z0-9]/g, '');
  }

  isOwn(text: string): boolean {
    return text.startsWith(ownPrefix);
  }

  #proof(owner: string, told: string): string {
    const digest = createHmac('sha256', this.#key).update(owner).update('\n').update(told).digest();
    return digest.subarray(0, proofBytes).toString('base64url');
  }
}

import type { RequestRecord } from './request-record.ts';

/** Whose requests are told in full in the log for a while, whatever the log's level. */
export interface DebugWish {
  readonly by: (typeof debugSubjects)[number];
  readonly value: string;
  /** Unix milliseconds. */
  readonly until: number;
}

/** By the id that a caller gives its request (`x-litellm-call-id`) or the gateway gave it, by key (hash or alias), team or model. */
export const debugSubjects = ['request', 'key', 'team', 'model'] as const;

/** The word of a wish among processes. */
export const debugScope = 'debug';

export function debugWord({ by, value, until }: DebugWish): string {
  return `${by}|${until}|${value}`;
}

export function readDebugWord(word: string): DebugWish | null {
  const [by, until, ...value] = word.split('|');
  const subject = debugSubjects.find((one) => one === by);
  return subject === undefined || !Number.isFinite(Number(until))
    ? null
    : { by: subject, value: value.join('|'), until: Number(until) };
}

export function isMeant({ by, value }: DebugWish, record: RequestRecord, callId: string | null): boolean {
  switch (by) {
    case 'request':
      return record.id === value || callId === value;
    case 'key':
      return record.keyId === value || record.keyAlias === value;
    case 'team':
      return record.teamId === value;
    case 'model':
      return record.modelAsked === value || record.modelGroup === value;
  }
}

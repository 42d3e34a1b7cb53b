import type { Identified } from '../../core/exchange.ts';

/** Whether anybody wants to know what was answered: the request's row, or a sink of the gateway's, the key's or the team's. */
export function keepsContent({ snapshot, principal: { sinkRules }, options }: Identified): boolean {
  if (options.noLog) return false;
  const { storePromptsAndAnswers, contentForSinks } = snapshot.settings;
  return storePromptsAndAnswers || contentForSinks || sinkRules?.takesContent === true;
}

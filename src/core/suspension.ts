import type { Nanodollars } from './money.ts';

/**
 * A request cost more than its upper bound at this deployment: its price is out of date, or it does not keep to the limit that it
 * is given. Until an administrator says that it is put right, it serves no caller with a hard budget.
 */
export interface Suspension {
  readonly deploymentId: string;
  /** Group and provider model, for people. */
  readonly model: string;
  readonly at: number;
  readonly requestId: string;
  readonly bound: Nanodollars;
  readonly cost: Nanodollars;
}

/** Each is kept as a setting of its own, under this and the id of the deployment. */
export const suspensionPrefix = 'suspended:';

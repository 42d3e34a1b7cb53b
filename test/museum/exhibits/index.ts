import type { Exhibit } from '../exhibit.ts';
import { ledgerExhibits } from './ledger.ts';
import { moneyExhibits } from './money.ts';
import { routingExhibits } from './routing.ts';
import { securityExhibits } from './security.ts';
import { sessionExhibits } from './sessions.ts';
import { streamExhibits } from './streams.ts';

export const exhibits: readonly Exhibit[] = [
  ...moneyExhibits,
  ...ledgerExhibits,
  ...streamExhibits,
  ...securityExhibits,
  ...routingExhibits,
  ...sessionExhibits,
];

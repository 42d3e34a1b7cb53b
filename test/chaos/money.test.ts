import { overOneRig } from './over-one-rig.ts';
import { moneyRows } from './rows/index.ts';

overOneRig('money, while things die', moneyRows);

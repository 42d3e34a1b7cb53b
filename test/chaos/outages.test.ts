import { overOneRig } from './over-one-rig.ts';
import { outageRows } from './rows/index.ts';

overOneRig('limits, keys and clocks, while things die', outageRows);

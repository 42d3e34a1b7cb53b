import { resolve } from 'node:path';

/** Where `bin/tollgate.mjs` keeps what Node has compiled: a gateway that finds it there is up in half the time. */
export const compileCache = { NODE_COMPILE_CACHE: resolve(import.meta.dirname, '../../node_modules/.cache/tollgate') };

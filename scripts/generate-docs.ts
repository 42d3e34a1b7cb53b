// Writes the reference pages that are made from code: `npm run docs`. A test fails when they are stale.
import { mkdirSync, writeFileSync } from 'node:fs';
import { configReference } from '../src/config/reference.ts';
import { supportPage } from '../test/support/page.ts';

const folder = new URL('../docs/reference/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('config.md', folder), configReference());
writeFileSync(new URL('../docs/support.md', import.meta.url), supportPage());

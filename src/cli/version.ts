import { readFileSync } from 'node:fs';

/** The version in package.json, which stands one folder above the sources and above a build of them. */
export const version: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;

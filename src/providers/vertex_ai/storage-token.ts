import type { Outside } from '../../core/ports.ts';
import { sharedTokenSource } from '../../core/token-source.ts';
import { accessToken } from './credentials.ts';

/** Tokens for Google's storage, by credentials as written (JSON, or the file it is in); null = who the machine is. */
export function storageTokens(outside: Outside): (written: string | null) => Promise<string> {
  return async (written) =>
    sharedTokenSource(['google storage', written], (asked) => accessToken({ written, defaultFile: null }, asked)).get(
      outside,
    );
}

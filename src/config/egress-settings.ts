import { readFileSync } from 'node:fs';
import type { EgressSettings } from '../core/egress.ts';
import { ConfigError, type Path, renderPath } from './diagnostic.ts';
import type { Environment } from './environment.ts';
import type { Config } from './load.ts';

/** `ssl_verify`, `ssl_certificate` and `force_ipv4`; the file wins over the environment. Throws ConfigError for a file that cannot be read. */
export function egressSettings(config: Config | null, environment: Environment): EgressSettings {
  const litellm = config?.sections.litellm_settings ?? {};
  const written = litellm.ssl_verify ?? flagOrFile(environment.SSL_VERIFY);
  const trusted = typeof written === 'string' ? written : (given(environment.SSL_CERT_FILE) ?? null);
  const identity = litellm.ssl_certificate ?? given(environment.SSL_CERTIFICATE) ?? null;
  const key = typeof written === 'string' ? 'ssl_verify' : 'SSL_CERT_FILE';
  return {
    verifies: written !== false,
    trusted: trusted === null ? null : pemIn(trusted, key, config),
    identity: identity === null ? null : pemIn(identity, 'ssl_certificate', config),
    ipv4Only: litellm.force_ipv4 ?? false,
  };
}

function given(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value.trim();
}

function flagOrFile(value: string | undefined): boolean | string | undefined {
  const text = given(value);
  if (text === undefined) return undefined;
  if (/^(true|1|yes)$/i.test(text)) return true;
  return /^(false|0|no)$/i.test(text) ? false : text;
}

function pemIn(file: string, key: string, config: Config | null): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw refusal(key, `${file} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`, config);
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw refusal(key, `${file} holds no certificate in PEM form`, config);
}

function refusal(key: string, message: string, config: Config | null): ConfigError {
  const path: Path = key === key.toUpperCase() ? [key] : ['litellm_settings', key];
  const place = config?.placeOf(path) ?? { file: 'environment', line: 0, column: 0 };
  return new ConfigError([
    { severity: 'error', ...place, path: renderPath(path), message, expected: 'true, false or a certificate file' },
  ]);
}

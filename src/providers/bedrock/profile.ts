import type { Outside } from '../../core/ports.ts';
import { reached } from './sts.ts';

export type Profile = Readonly<Record<string, string>>;

/** Where the profiles stand. */
export interface ProfileFiles {
  readonly credentials: string;
  readonly config: string;
}

/** A named profile out of both files; the credentials file goes before. undefined when neither knows it. */
export async function readProfile(name: string, files: ProfileFiles, outside: Outside): Promise<Profile | undefined> {
  const [credentials, config] = await Promise.all([
    sections(files.credentials, outside),
    sections(files.config, outside),
  ]);
  const own = credentials.get(name);
  const configured = config.get(name === 'default' ? 'default' : `profile ${name}`) ?? config.get(name);
  return own === undefined && configured === undefined ? undefined : { ...configured, ...own };
}

async function sections(file: string, outside: Outside): Promise<Map<string, Record<string, string>>> {
  let text: string;
  try {
    text = await outside.readFile(file);
  } catch {
    // Most people have one of the two, or none.
    return new Map();
  }
  const found = new Map<string, Record<string, string>>();
  let current: Record<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    const head = /^\s*\[\s*([^\]]+?)\s*\]/.exec(line);
    if (head !== null) {
      current = {};
      found.set(head[1]!, current);
      continue;
    }
    const setting = /^([A-Za-z_][\w-]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (setting !== null && current !== undefined) current[setting[1]!.toLowerCase()] = setting[2]!;
  }
  return found;
}

/** A token of a foreign identity service: a file, or the token itself. */
export async function webIdentityToken(written: string, outside: Outside): Promise<string> {
  // A signed token has three parts in base64url; everything else is the place of one.
  if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(written)) return written;
  const file = written.replace(/^oidc\/file\//, '');
  return (await reached('the file with the web identity', outside.readFile(file))).trim();
}

import type { JsonObject } from '../core/json.ts';
import { isJsonObject } from '../core/json.ts';
import type { Secret } from '../core/secret.ts';

/** A running gateway as the command line sees it. */
export interface AdminClient {
  get(path: string, query?: Readonly<Record<string, string | undefined>>): Promise<JsonObject>;
  post(path: string, body: JsonObject): Promise<JsonObject>;
}

/** The gateway said no, or could not be reached: the message is fit for a terminal. */
export class AdminRequestError extends Error {
  readonly status: number | null;

  constructor(status: number | null, message: string) {
    super(message);
    this.name = 'AdminRequestError';
    this.status = status;
  }
}

export function adminClient(baseUrl: string, masterKey: Secret): AdminClient {
  const base = baseUrl.replace(/\/+$/, '');
  const call = async (method: 'GET' | 'POST', path: string, body: JsonObject | null): Promise<JsonObject> => {
    // Only here: a gateway that starts need not load all of it.
    const { request } = await import('undici');
    const answer = await request(base + path, {
      method,
      headers: { authorization: `Bearer ${masterKey.reveal()}`, 'content-type': 'application/json' },
      body: body === null ? null : JSON.stringify(body),
      headersTimeout: 15_000,
    }).catch((cause: NodeJS.ErrnoException) => {
      throw new AdminRequestError(
        null,
        `no gateway answers at ${base} (${cause.code ?? cause.message}); start one with \`npm start\`, or name its address with --url`,
      );
    });
    const parsed = parse(await answer.body.text());
    if (answer.statusCode >= 400) throw new AdminRequestError(answer.statusCode, messageOf(parsed, answer.statusCode));
    return isJsonObject(parsed) ? parsed : { value: parsed as JsonObject };
  };
  return {
    get(path, query = {}) {
      const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
      const search = new URLSearchParams(pairs).toString();
      return call('GET', search === '' ? path : `${path}?${search}`, null);
    },
    post: (path, body) => call('POST', path, body),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function messageOf(body: unknown, status: number): string {
  const error = isJsonObject(body) && isJsonObject(body.error) ? body.error : undefined;
  return typeof error?.message === 'string' ? error.message : `the gateway answered with status ${status}`;
}

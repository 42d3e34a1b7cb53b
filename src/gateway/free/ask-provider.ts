import type { Dialect } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { CallerHeaders } from '../../core/exchange.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { AuthorizationError, type Authorize, type OutgoingCall } from '../../core/provider.ts';
import type { Deployment } from '../../core/route.ts';
import type { Secret } from '../../core/secret.ts';
import { secretsIn } from '../call/echoed-credentials.ts';
import { errorOfStatus, errorOfTransport, providerError, timeoutError } from '../call/provider-error.ts';
import type { Gateway } from '../gateway.ts';

/** The results of a large batch come as one body. */
const answerBytesMax = 256 * 1024 * 1024;
const patienceMs = 60_000;

export interface Question {
  readonly method: OutgoingCall['method'];
  /** With its query. */
  readonly path: string;
  readonly body: Buffer | null;
  /** JSON where absent. */
  readonly contentType?: string;
  /** Milliseconds; a minute where absent. */
  readonly patienceMs?: number;
  /** In the place of the endpoint's own, or on top of them. */
  readonly headers?: readonly string[];
  /** The endpoint's own where absent. */
  readonly origin?: string;
  readonly authorize?: Authorize;
  /** Whoever asked may leave. */
  readonly signal?: AbortSignal;
}

/** One small question to a provider that costs nothing. Throws GatewayError in the provider's words when it refuses. */
export async function askProvider(
  gateway: Gateway,
  deployment: Deployment,
  dialect: Dialect,
  question: Question,
): Promise<JsonObject> {
  const bytes = await askForBytes(gateway, deployment, dialect, question);
  try {
    const answer: unknown = JSON.parse(bytes.toString());
    if (isJsonObject(answer)) return answer;
  } catch {
    // Told below.
  }
  throw providerError('upstream_connection', deployment.provider, 'the answer is not a JSON object', []);
}

/** The same for answers of any kind. */
export async function askForBytes(
  gateway: Gateway,
  deployment: Deployment,
  dialect: Dialect,
  question: Question,
): Promise<Buffer> {
  const { provider, endpoint } = deployment;
  const headers = overlaid([...endpoint.headers, 'accept-encoding', 'identity'], question.headers ?? []);
  if (question.body !== null) headers.push('content-type', question.contentType ?? 'application/json');
  const { method, path, origin = endpoint.origin, authorize = endpoint.authorize } = question;
  const call = { method, origin, path, headers };
  const body = question.body ?? new Uint8Array(0);
  const authorization = await authorized(gateway, { provider, endpoint: { authorize } }, { ...call, body });
  const secrets = [...gateway.snapshot().secrets, ...secretsIn(authorization)];
  const {
    status,
    headers: told,
    bytes,
  } = await sent(gateway, deployment, {
    ...call,
    headers: overlaid(headers, authorization),
    body: question.body,
    patienceMs: question.patienceMs ?? patienceMs,
    secrets,
    signal: question.signal,
  });
  if (status < 200 || status >= 300) {
    throw errorOfStatus(provider, status, told, dialect.errors.decode(status, bytes), secrets, gateway.clock.now());
  }
  return bytes;
}

function overlaid(headers: readonly string[], more: readonly string[]): string[] {
  const named = new Map<string, string>();
  for (const list of [headers, more]) {
    for (let index = 0; index < list.length; index += 2) named.set(list[index]!, list[index + 1]!);
  }
  return [...named].flat();
}

/** Headers that one call needs on top of the endpoint's. Throws GatewayError where they cannot be had. */
export async function authorized(
  gateway: Gateway,
  { endpoint, provider }: { endpoint: { authorize?: Authorize | undefined }; provider: Deployment['provider'] },
  call: OutgoingCall,
): Promise<readonly string[]> {
  try {
    return endpoint.authorize === undefined ? [] : await endpoint.authorize(call, gateway.outside);
  } catch (cause) {
    if (!(cause instanceof AuthorizationError)) throw cause;
    throw new GatewayError('upstream_authentication', `${provider.name}: ${cause.message}`);
  }
}

interface SentFor {
  readonly patienceMs: number;
  readonly secrets: readonly Secret[];
}

function sent(
  gateway: Gateway,
  { provider }: Deployment,
  call: Omit<OutgoingCall, 'body'> & Pick<Question, 'body' | 'signal'> & SentFor,
): Promise<{ status: number; headers: CallerHeaders; bytes: Buffer }> {
  const { transport, clock } = gateway;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let head: { status: number; headers: CallerHeaders } = { status: 0, headers: {} };
    const over = () => {
      timer.cancel();
      call.signal?.removeEventListener('abort', left);
    };
    const refuse = (error: GatewayError) => {
      over();
      exchange.cancel();
      reject(error);
    };
    const left = () => refuse(providerError('upstream_connection', provider, 'the client left', []));
    const { method, origin, path, headers, body } = call;
    const exchange = transport.send(
      { method, origin, path, headers, body, connectTimeoutMs: 5_000, freshConnection: false },
      {
        onHeaders: (status, headers) => {
          head = { status, headers };
          if (Number(headers['content-length'] ?? 0) > answerBytesMax) refuse(tooLarge(provider));
        },
        onBytes: (chunk) => {
          size += chunk.length;
          if (size <= answerBytesMax) chunks.push(chunk);
          else refuse(tooLarge(provider));
        },
        onEnd: () => {
          over();
          resolve({ ...head, bytes: Buffer.concat(chunks) });
        },
        onError: (error) => {
          over();
          reject(errorOfTransport(provider, error, call.secrets));
        },
      },
    );
    const timer = clock.setTimer(call.patienceMs, () =>
      refuse(timeoutError(provider, 'no complete answer', call.patienceMs)),
    );
    if (call.signal?.aborted) left();
    else call.signal?.addEventListener('abort', left);
  });
}

/** Cut, it would pass for a whole one. */
function tooLarge(provider: Deployment['provider']): GatewayError {
  const message = `the answer is too large: more than ${answerBytesMax / 1024 ** 2} MiB`;
  return providerError('upstream_answer_too_large', provider, message, []);
}

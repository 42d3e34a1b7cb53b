import type { Dialect } from '../../core/dialect.ts';
import { GatewayError } from '../../core/errors.ts';
import type { CallerHeaders } from '../../core/exchange.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { AuthorizationError, type Authorize, type OutgoingCall } from '../../core/provider.ts';
import type { Deployment } from '../../core/route.ts';
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
  const secrets = gateway.snapshot().secrets;
  const headers = overlaid([...endpoint.headers, 'accept-encoding', 'identity'], question.headers ?? []);
  if (question.body !== null) headers.push('content-type', question.contentType ?? 'application/json');
  const { method, path, origin = endpoint.origin, authorize = endpoint.authorize } = question;
  const call = { method, origin, path, headers };
  const body = question.body ?? new Uint8Array(0);
  const authorization = await authorized(gateway, { provider, endpoint: { authorize } }, { ...call, body });
  const {
    status,
    headers: told,
    bytes,
  } = await sent(gateway, deployment, {
    ...call,
    headers: overlaid(headers, authorization),
    body: question.body,
    patienceMs: question.patienceMs ?? patienceMs,
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

function sent(
  gateway: Gateway,
  { provider }: Deployment,
  call: Omit<OutgoingCall, 'body'> & { readonly body: Buffer | null; readonly patienceMs: number },
): Promise<{ status: number; headers: CallerHeaders; bytes: Buffer }> {
  const { transport, clock } = gateway;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let head: { status: number; headers: CallerHeaders } = { status: 0, headers: {} };
    const refuse = (error: GatewayError) => {
      timer.cancel();
      exchange.cancel();
      reject(error);
    };
    const exchange = transport.send(
      { ...call, connectTimeoutMs: 5_000, freshConnection: false },
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
          timer.cancel();
          resolve({ ...head, bytes: Buffer.concat(chunks) });
        },
        onError: (error) => {
          timer.cancel();
          reject(errorOfTransport(provider, error, gateway.snapshot().secrets));
        },
      },
    );
    const timer = clock.setTimer(call.patienceMs, () => {
      exchange.cancel();
      reject(timeoutError(provider, 'no complete answer', call.patienceMs));
    });
  });
}

/** Cut, it would pass for a whole one. */
function tooLarge(provider: Deployment['provider']): GatewayError {
  const message = `the answer is too large: more than ${answerBytesMax / 1024 ** 2} MiB`;
  return providerError('upstream_answer_too_large', provider, message, []);
}

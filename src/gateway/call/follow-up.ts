import type { FollowUp } from '../../core/dialect.ts';
import { asGatewayError } from '../../core/errors.ts';
import type { Admitted } from '../../core/exchange.ts';
import { isJsonObject } from '../../core/json.ts';
import { askForBytes } from '../free/ask-provider.ts';
import type { Gateway } from '../gateway.ts';
import { placeOf } from './aside.ts';
import type { AttemptEnd } from './attempt.ts';
import { timeoutError } from './provider-error.ts';
import { encodeOptions, type Target, withoutFields } from './translate.ts';

/**
 * The answer of a provider that answers in steps (taken, being worked on, there): asks on as its format says, until the
 * answer is there, the client has left or the time is over. What was begun there may be billed whatever comes of it.
 */
export async function followed(
  gateway: Gateway,
  exchange: Admitted,
  target: Target,
  path: string,
  first: Buffer,
  deadline: number,
): Promise<AttemptEnd> {
  const { clock } = gateway;
  const { deployment, dialect } = target;
  const startedTick = clock.tick();
  const failed = (cause: unknown): AttemptEnd => ({
    kind: 'failed',
    error: asGatewayError(cause),
    ambiguous: true,
    staleConnection: false,
  });
  for (let bytes = first; ; ) {
    try {
      const next = nextOf(exchange, target, path, bytes);
      if (next === null) return { kind: 'whole', bytes };
      if (next.afterMs > 0) await new Promise<void>((resolve) => clock.setTimer(next.afterMs, resolve));
      if (exchange.client.gone) return { kind: 'gone' };
      const leftMs = deadline - clock.tick();
      if (leftMs <= 0) {
        return failed(timeoutError(deployment.provider, 'no complete answer', clock.tick() - startedTick));
      }
      const body = next.body === null ? null : Buffer.from(JSON.stringify(next.body));
      const question = { method: next.method, path: next.path, body, patienceMs: leftMs };
      bytes = await askForBytes(gateway, placeOf(target), dialect, question);
    } catch (cause) {
      return failed(cause);
    }
  }
}

function nextOf(exchange: Admitted, target: Target, path: string, bytes: Buffer): FollowUp | null {
  let answer: unknown;
  try {
    answer = JSON.parse(bytes.toString());
  } catch {
    return null;
  }
  if (!isJsonObject(answer)) return null;
  const options = encodeOptions(exchange, target);
  const { upload } = exchange;
  const asked = upload === null ? { ...exchange.body, ...target.overrides } : { ...upload.fields, ...target.overrides };
  const request = () => exchange.dialect.request.decode(withoutFields(asked, options.gatewayFields), upload?.files);
  return target.dialect.followUp?.(answer, { path, options, request }) ?? null;
}

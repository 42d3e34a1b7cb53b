import { asGatewayError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Gateway } from '../gateway.ts';
import { claimOnce, idempotencyHeader } from '../once.ts';
import type { FreeAnswer, FreeCall } from './call.ts';

type Run = (gateway: Gateway, call: FreeCall) => Promise<FreeAnswer>;

/** For calls after which money is spent: with an Idempotency-Key they begin once, and the first answer is given again. */
export function onceWithKey(run: Run): Run {
  return async (gateway, call) => {
    if (call.headers[idempotencyHeader] === undefined) return run(gateway, call);
    const claimed = await claimOnce(gateway, { ...call, address: { query: call.query.toString() } });
    if (claimed === null) return run(gateway, call);
    if ('answer' in claimed) {
      const { status, body } = claimed.answer;
      return { status, body: JSON.parse(Buffer.from(body).toString()) as JsonObject };
    }
    try {
      const { status, body } = await run(gateway, call);
      await claimed.keep({ status, contentType: 'application/json', body: Buffer.from(JSON.stringify(body)) });
      return { status, body };
    } catch (cause) {
      await (asGatewayError(cause).code === 'internal' ? claimed.lose() : claimed.giveUp());
      throw cause;
    }
  };
}

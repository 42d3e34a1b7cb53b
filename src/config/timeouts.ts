import type { Timeouts } from '../core/route.ts';
import { gatewayDefaults } from './gateway-defaults.ts';
import { timerMilliseconds, timerMsMax } from './router.ts';
import type { Sections } from './schema/sections.ts';

/** The clocks of a call: our own `timeouts`, over what `timeout` and `stream_timeout` come to. */
export function timeoutsOf({
  general_settings,
  router_settings: router = {},
  litellm_settings: litellm = {},
}: Sections): Timeouts {
  const own = general_settings?.timeouts;
  // `timeout` bounds one try, so that a hanging target leaves time for the next one.
  const attempt = router.timeout ?? litellm.request_timeout;
  const attemptMs = attempt === undefined || attempt === 0 ? gatewayDefaults.attemptMs : timerMilliseconds(attempt);
  const totalMs =
    own?.total_seconds === undefined || own.total_seconds === 0
      ? Math.min(Math.max(gatewayDefaults.totalMsMin, 3 * attemptMs), timerMsMax)
      : timerMilliseconds(own.total_seconds);
  const stream = router.stream_timeout;
  const streamTotalMs = stream === undefined || stream === 0 ? undefined : timerMilliseconds(stream);
  const firstByteMs = Math.max(attemptMs, streamTotalMs ?? 0);
  return Object.freeze({
    connectMs: own?.connect_seconds === undefined ? gatewayDefaults.connectMs : timerMilliseconds(own.connect_seconds),
    firstByteMs: own?.first_byte_seconds === undefined ? firstByteMs : timerMilliseconds(own.first_byte_seconds),
    idleMs: own?.idle_seconds === undefined ? gatewayDefaults.idleMs : timerMilliseconds(own.idle_seconds),
    attemptMs,
    totalMs,
    ...(streamTotalMs !== undefined && { streamTotalMs }),
  });
}

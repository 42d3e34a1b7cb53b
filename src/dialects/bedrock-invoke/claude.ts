import type { BodyEdits, Dialect, EncodeOptions } from '../../core/dialect.ts';
import type { JsonObject } from '../../core/json.ts';
import { anthropicMessages } from '../anthropic-messages/index.ts';
import { optionalString } from '../body-checks.ts';
import { ofInvoke } from './calls.ts';
import { InvokeDecoder, InvokeEncoder, InvokeRelay } from './framing.ts';

function passThrough(body: JsonObject, options: EncodeOptions): BodyEdits {
  const edits = new Map(anthropicMessages.passThrough(body, options));
  for (const name of ['anthropic_version', 'anthropic_beta']) if (body[name] !== undefined) edits.set(name, undefined);
  if (options.stream === true) edits.set('stream', true);
  return edits;
}

/** Anthropic's messages: the path says model and stream, the body names the version and the betas. */
export const claude: Dialect = ofInvoke({
  ...anthropicMessages,
  variantOf: 'anthropic-messages',
  inspect: (body, address) => {
    optionalString(body, 'anthropic_version');
    return anthropicMessages.inspect(body, address);
  },
  passThrough,
  relay: (options) => new InvokeRelay(anthropicMessages.relay(options)),
  streamDecoder: () => new InvokeDecoder(anthropicMessages.streamDecoder()),
  streamEncoder: (options) => new InvokeEncoder(anthropicMessages.streamEncoder(options)),
});

import type { Dialect } from '../../../src/core/dialect.ts';
import type { DialectName } from '../../../src/core/operation.ts';
import { dialects } from '../../../src/dialects/index.ts';
import { pause } from '../../chaos/row.ts';
import { finishAt, resetAt, type Script, stallAt } from '../../fake-provider/index.ts';
import { type GatewayProcess, masterKey } from '../../journeys/support/gateway-process.ts';
import { fakeIn, gatewayIn } from '../gateway.ts';
import { inPlace, type WireRow } from '../row.ts';

interface Caller {
  readonly dialect: DialectName;
  readonly path: (model: string) => string;
  readonly body: object;
}

const messages = [{ role: 'user', content: 'Hello' }];
const callers: readonly Caller[] = [
  { dialect: 'openai-chat', path: () => '/v1/chat/completions', body: { messages } },
  { dialect: 'anthropic-messages', path: () => '/v1/messages', body: { messages, max_tokens: 200 } },
  { dialect: 'openai-responses', path: () => '/v1/responses', body: { input: messages, store: false } },
  {
    dialect: 'gemini-generate',
    path: (model) => `/v1beta/models/${model}:streamGenerateContent?alt=sse`,
    body: { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
  },
  { dialect: 'cohere-chat', path: () => '/v2/chat', body: { messages } },
];
const models = ['chat', 'claude', 'google', 'command', 'nova'] as const;

const words = Array.from({ length: 12 }, (_, index) => `word${index}`);
const text = words.join(' ');
const idleSeconds = 0.6;
/** So many events of every provider's stream come before its end. */
const events = 8;

interface Fault {
  readonly name: string;
  readonly script: Script;
  /** Events before it, as far as it counts them. */
  readonly after?: number;
  /** What has not been read yet when a reset comes is thrown away by the system. */
  readonly mayLose?: true;
}
/** Events that open a stream and say nothing yet, of any format. */
const openingEvents = 5;

function faultsAt(event: number): Fault[] {
  return [
    { name: `an end before event ${event}`, script: finishAt({ event }), after: event },
    { name: `a reset before event ${event}`, script: resetAt({ event }), mayLose: true },
    { name: `an error in place of event ${event}`, script: { errorAtEvent: event }, after: event },
    { name: `silence from event ${event} on`, script: stallAt(event), after: event },
  ];
}
const faults: readonly Fault[] = [
  ...Array.from({ length: events }, (_, event) => faultsAt(event)).flat(),
  { name: 'neither reason nor end', script: { omitFinishReason: true, omitDone: true }, after: words.length },
];

/** Promise 18: whatever breaks a stream, and wherever, nobody takes what came of it for the whole. */
export const truncationRow: WireRow = {
  row: 18,
  kind: 'wire',
  promise: 'A truncated stream never looks finished',
  target:
    'told as complete 0, in the stream or on record; all that came before the fault delivered; an error in the caller’s format 100 %',
  run: (size) =>
    inPlace(async (place) => {
      const broken: string[] = [];
      const fake = await fakeIn(place);
      const entry = (name: string, provider: string, base: string) =>
        `  - {model_name: ${name}, litellm_params: {model: ${provider}, api_base: "${base}", api_key: none}}\n`;
      const config = `model_list:
${entry('chat', 'hosted_vllm/m', `${fake.url}/v1`)}${entry('claude', 'anthropic/m', fake.url)}${entry('google', 'gemini/m', `${fake.url}/v1beta`)}${entry('command', 'cohere/m', fake.url)}${entry('nova', 'bedrock/us.amazon.nova-pro-v1:0', fake.url)}
router_settings: {num_retries: 0, disable_cooldowns: true}
general_settings: {timeouts: {idle_seconds: ${idleSeconds}, first_byte_seconds: ${idleSeconds}}}
`;
      const gateway = await gatewayIn(place, { config });
      let streams = 0;
      let finished = 0;
      let untold = 0;
      let lost = 0;
      let refused = 0;
      const note = (text: string) => {
        if (broken.length < 8) broken.push(text);
      };
      for (const [index, { name, script, after = 0, mayLose = false }] of faults.entries()) {
        for (const model of models) {
          const texts: string[] = [];
          for (const caller of callers) {
            if (size === 'short' && (index * 7 + models.indexOf(model) + callers.indexOf(caller)) % 23 !== 0) continue;
            streams += 1;
            fake.setDefault({ ...script, text });
            const answer = await fetch(gateway.url + caller.path(model), {
              method: 'POST',
              headers: { authorization: `Bearer ${masterKey}`, 'content-type': 'application/json' },
              body: JSON.stringify({ model, stream: true, ...caller.body }),
            });
            const bytes = Buffer.from(await answer.arrayBuffer());
            const dialect = dialects.get(caller.dialect)!;
            const where = `${name}, ${model} to ${caller.dialect}`;
            if (answer.status >= 400) {
              // Nothing had come: told with a status.
              refused += 1;
              if (dialect.errors.decode(answer.status, bytes).message !== undefined) continue;
              untold += 1;
              note(`${where}: refused with ${bytes.toString().slice(0, 80)}`);
              continue;
            }
            const heard = read(dialect, bytes);
            if (heard.ending === 'complete') finished += 1;
            else if (heard.ending !== 'error') untold += 1;
            if (heard.ending !== 'error') note(`${where}: told as ${heard.ending}: …${bytes.toString().slice(-160)}`);
            if (!text.startsWith(heard.text)) note(`${where}: says ${heard.text.slice(0, 80)}`);
            texts.push(heard.text);
          }
          if (mayLose) continue;
          // Each event is a word, so everybody must have been given the same ones.
          const most = Math.max(0, ...texts.map((one) => one.length));
          const least = Math.min(...texts.map((one) => one.length));
          if (
            texts.length === 0 ||
            (most === least && most >= words.slice(0, Math.max(0, after - openingEvents)).join(' ').length)
          )
            continue;
          lost += 1;
          note(`${name}, ${model}: ${texts.map((one) => one.length).join(', ')} characters delivered`);
        }
      }
      const onRecord = await successesOnRecord(gateway);
      if (onRecord > 0) broken.push(`${onRecord} are on record as successes`);
      return {
        figures: {
          'broken streams': streams,
          'kinds of faults, formats of callers and of providers': `${faults.length}, ${callers.length}, ${models.length}`,
          'told as complete': finished,
          'on record as successes': onRecord,
          'without an error in the caller’s format': untold,
          'broken before anything came, told with a status': refused,
          'text that had come and was not delivered': lost,
        },
        broken,
      };
    }),
};

/** How a stream ends to who reads it, and its text up to there. */
function read(dialect: Dialect, bytes: Buffer): { readonly ending: string; readonly text: string } {
  const decoder = dialect.streamDecoder();
  const parts: Parameters<typeof decoder.end>[0] = [];
  decoder.push(bytes, parts);
  decoder.end(parts);
  let said = '';
  let ending = 'open';
  for (const part of parts) {
    if (part.type === 'text-delta') said += part.text;
    if (part.type === 'end' && ending === 'open') ending = 'complete';
    if (part.type === 'error') ending = 'error';
  }
  return { ending, text: said };
}

/** The requests that the gateway itself takes for well. */
async function successesOnRecord(gateway: GatewayProcess): Promise<number> {
  // Rows are written in batches.
  await pause(1_500);
  const answer = await gateway.get('/usage/requests?status=success&limit=100');
  return ((await answer.json()) as { requests: unknown[] }).requests.length;
}

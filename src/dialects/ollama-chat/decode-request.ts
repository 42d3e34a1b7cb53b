import type { RequestFacts } from '../../core/dialect.ts';
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts';
import type {
  ContentBlock,
  NeutralMessage,
  NeutralRequest,
  NeutralTool,
  ReasoningOptions,
  ResponseFormat,
  TextBlock,
} from '../../core/neutral.ts';
import { effortIn, optionalNumber, optionalStrings, unknownMembers } from '../body-checks.ts';
import { inspectChat, inspectGenerate } from './inspect.ts';
import { soundIn } from './sound.ts';

const neutralFields: ReadonlySet<string> = new Set(
  'model stream messages prompt system images tools format think options logprobs top_logprobs'.split(' '),
);
const neutralOptions: ReadonlySet<string> = new Set(
  'temperature top_p top_k seed stop num_predict presence_penalty frequency_penalty'.split(' '),
);

export function decodeChat(body: JsonObject): NeutralRequest {
  const facts = inspectChat(body);
  return decodeCommon(body, facts, decodeMessages(body.messages as Json[]));
}

export function decodeGenerate(body: JsonObject): NeutralRequest {
  const facts = inspectGenerate(body);
  const system: TextBlock[] = typeof body.system === 'string' && body.system !== '' ? [text(body.system)] : [];
  const messages: NeutralMessage[] = [{ role: 'user', content: userContent(body.prompt, body.images) }];
  return decodeCommon(body, facts, { system, messages });
}

function text(said: string): TextBlock {
  return { type: 'text', text: said };
}

function decodeCommon(
  body: JsonObject,
  facts: RequestFacts,
  said: Pick<NeutralRequest, 'system' | 'messages'>,
): NeutralRequest {
  const options = isJsonObject(body.options) ? body.options : {};
  const others = unknownMembers(options, neutralOptions);
  return {
    ...said,
    model: facts.model ?? '',
    stream: facts.stream,
    tools: (Array.isArray(body.tools) ? body.tools : []).filter(isJsonObject).map(decodeTool),
    toolChoice: undefined,
    parallelToolCalls: undefined,
    maxOutputTokens: facts.maxOutputTokens,
    temperature: optionalNumber(options, 'temperature'),
    topP: optionalNumber(options, 'top_p'),
    topK: optionalNumber(options, 'top_k'),
    stop: optionalStrings(options, 'stop', 'options.stop'),
    seed: optionalNumber(options, 'seed'),
    choices: undefined,
    presencePenalty: optionalNumber(options, 'presence_penalty'),
    frequencyPenalty: optionalNumber(options, 'frequency_penalty'),
    responseFormat: decodeFormat(body.format),
    reasoning: decodeThink(body),
    endUser: undefined,
    logprobs: body.logprobs === true ? { topLogprobs: optionalNumber(body, 'top_logprobs') } : undefined,
    serviceTier: undefined,
    includeUsageInStream: true,
    extra: {
      ...unknownMembers(body, neutralFields),
      ...(Object.keys(others).length > 0 ? { options: others } : {}),
    },
  };
}

/** Calls and results without ids find each other by name and order. */
function decodeMessages(list: readonly Json[]): Pick<NeutralRequest, 'system' | 'messages'> {
  const system: TextBlock[] = [];
  const messages: NeutralMessage[] = [];
  const unanswered: { id: string; name: string }[] = [];
  let calls = 0;
  let results: ContentBlock[] | undefined;
  for (const message of list) {
    if (!isJsonObject(message)) continue;
    const said = typeof message.content === 'string' ? message.content : '';
    if (message.role === 'tool') {
      if (results === undefined) {
        results = [];
        messages.push({ role: 'user', content: results });
      }
      const name = message.tool_name;
      const place = Math.max(
        0,
        unanswered.findIndex((call) => call.name === name),
      );
      const [answers] = unanswered.splice(place, 1);
      const id = typeof message.tool_call_id === 'string' ? message.tool_call_id : (answers?.id ?? `call_${calls}`);
      results.push({ type: 'tool_result', toolCallId: id, content: said === '' ? [] : [text(said)] });
      continue;
    }
    results = undefined;
    if (message.role === 'system') system.push(text(said));
    else if (message.role === 'user') messages.push({ role: 'user', content: userContent(said, message.images) });
    else {
      const content: ContentBlock[] = [];
      if (typeof message.thinking === 'string' && message.thinking !== '') {
        content.push({ type: 'reasoning', text: message.thinking });
      }
      if (said !== '') content.push(text(said));
      for (const call of (Array.isArray(message.tool_calls) ? message.tool_calls : []).filter(isJsonObject)) {
        const block = decodeCall(call, calls++);
        unanswered.push(block);
        content.push(block);
      }
      messages.push({ role: 'assistant', content });
    }
  }
  return { system, messages };
}

export function decodeCall(call: JsonObject, index: number): Extract<ContentBlock, { type: 'tool_call' }> {
  const called = isJsonObject(call.function) ? call.function : {};
  return {
    type: 'tool_call',
    id: typeof call.id === 'string' && call.id !== '' ? call.id : `call_${index}`,
    name: String(called.name),
    arguments: JSON.stringify(called.arguments ?? {}),
  };
}

function userContent(said: Json | undefined, images: Json | undefined): ContentBlock[] {
  const pictures = (Array.isArray(images) ? images : []).filter((image) => typeof image === 'string');
  const content: ContentBlock[] = typeof said === 'string' && said !== '' ? [text(said)] : [];
  for (const base64 of pictures) {
    const sound = soundIn(base64);
    if (sound === null)
      content.push({ type: 'image', source: { kind: 'base64', mediaType: mediaTypeOf(base64), base64 } });
    else
      content.push({ type: 'audio', format: sound, source: { kind: 'base64', mediaType: `audio/${sound}`, base64 } });
  }
  return content;
}

/** This format has bytes alone: what they are is told by how they begin. */
function mediaTypeOf(base64: string): string {
  if (base64.startsWith('/9j/')) return 'image/jpeg';
  if (base64.startsWith('R0lGOD')) return 'image/gif';
  return base64.startsWith('UklGR') ? 'image/webp' : 'image/png';
}

function decodeTool(tool: JsonObject): NeutralTool {
  const definition = isJsonObject(tool.function) ? tool.function : {};
  return {
    name: String(definition.name),
    ...(typeof definition.description === 'string' ? { description: definition.description } : {}),
    ...(isJsonObject(definition.parameters) ? { parameters: definition.parameters } : {}),
  };
}

function decodeFormat(format: Json | undefined): ResponseFormat | undefined {
  if (format === 'json') return { type: 'json_object' };
  return isJsonObject(format) ? { type: 'json_schema', name: 'response', schema: format } : undefined;
}

function decodeThink(body: JsonObject): ReasoningOptions | undefined {
  if (typeof body.think === 'boolean') return { mode: body.think ? 'enabled' : 'disabled' };
  const effort = effortIn(body, 'think');
  return effort === undefined ? undefined : { effort };
}

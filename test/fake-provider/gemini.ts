import type { Answer, AnswerChoice, AnswerRequest } from './answer.ts';
import { joined } from './answer.ts';
import type { Frame } from './frame.ts';
import { isRecord, parseJson } from './json.ts';
import type { FakeUsage, Script } from './script.ts';
import { endlessly } from './text.ts';

/** Gemini's generateContent. Source: https://ai.google.dev/api/generate-content */

const finishReasons = { stop: 'STOP', length: 'MAX_TOKENS', 'tool-calls': 'STOP' } as const;
const defaultSignature = 'RmFrZSB0aG91Z2h0IHNpZ25hdHVyZQ==';

/** The request in the words that the fake composes answers from. */
export function geminiRequest(request: AnswerRequest): AnswerRequest {
  const { body } = request;
  const config = isRecord(body.generationConfig) ? body.generationConfig : {};
  const contents = Array.isArray(body.contents) ? body.contents.filter(isRecord) : [];
  const calling = isRecord(body.toolConfig) ? body.toolConfig.functionCallingConfig : undefined;
  const names = isRecord(calling) && Array.isArray(calling.allowedFunctionNames) ? calling.allowedFunctionNames : [];
  const declarations = (Array.isArray(body.tools) ? body.tools : [])
    .filter(isRecord)
    .flatMap((tool) => (Array.isArray(tool.functionDeclarations) ? tool.functionDeclarations : []))
    .filter(isRecord)
    .map((one) => ({ name: one.name, parameters: one.parametersJsonSchema ?? one.parameters }));
  return {
    ...request,
    body: {
      model: body.model,
      system: partsOf(body.systemInstruction),
      messages: contents.map((content) => ({ role: content.role, content: partsOf(content) })),
      max_tokens: config.maxOutputTokens,
      n: config.candidateCount,
      tools: declarations,
      ...(isRecord(calling) && calling.mode === 'ANY'
        ? { tool_choice: names.length === 1 ? { type: 'tool', name: names[0] } : 'required' }
        : {}),
      ...(config.responseMimeType === 'application/json' ? { response_format: { type: 'json_object' } } : {}),
    },
  };
}

function partsOf(content: unknown): unknown[] {
  const parts = isRecord(content) && Array.isArray(content.parts) ? content.parts.filter(isRecord) : [];
  return parts.map((part) =>
    isRecord(part.functionResponse) ? { text: JSON.stringify(part.functionResponse.response) } : { text: part.text },
  );
}

export function geminiAnswer(answer: Answer, script: Script): Record<string, unknown> {
  return {
    candidates: answer.choices.map((choice, index) => ({
      content: { role: 'model', parts: wholeParts(choice, script) },
      index,
      ...(script.omitFinishReason ? {} : { finishReason: script.finishReason ?? finishReasons[choice.finish] }),
    })),
    ...(script.usage === 'none' ? {} : { usageMetadata: usageMetadata(answer.usage) }),
    ...envelope(answer),
  };
}

export function* geminiFrames(answer: Answer, script: Script): Generator<Frame> {
  const told = (kind: Frame['kind'], candidate: object, tokens = 0, usage = startUsage(answer.usage)): Frame => ({
    kind,
    tokens,
    data: JSON.stringify({
      candidates: [candidate],
      ...(script.usage === 'none' ? {} : { usageMetadata: usageMetadata(usage) }),
      ...envelope(answer),
    }),
  });
  for (const [index, choice] of answer.choices.entries()) {
    const part = (one: object) => ({ content: { role: 'model', parts: [one] }, index });
    for (const piece of choice.reasoning) {
      yield told('content', part({ text: piece.text, thought: true }), piece.tokens);
    }
    for (const piece of script.endless ? endlessly(choice.text) : choice.text) {
      yield told('content', part({ text: piece.text }), piece.tokens);
    }
    for (const [at, call] of callParts(choice, script).entries()) {
      const tokens = choice.toolCalls[at]!.pieces.reduce((sum, piece) => sum + piece.tokens, 0);
      yield told('content', part(call), tokens);
    }
    const signed = choice.reasoning.length > 0 && choice.toolCalls.length === 0 ? signature(script) : {};
    const finish = { content: { role: 'model', parts: [{ text: '', ...signed }] }, index };
    if (script.omitFinishReason) yield told('content', finish);
    else {
      const finishReason = script.finishReason ?? finishReasons[choice.finish];
      yield told('finish', { ...finish, finishReason }, 0, answer.usage);
    }
  }
}

function wholeParts(choice: AnswerChoice, script: Script): object[] {
  const parts: object[] = [];
  if (choice.reasoning.length > 0) parts.push({ text: joined(choice.reasoning), thought: true });
  const isLast = choice.toolCalls.length === 0;
  if (choice.text.length > 0 || isLast) {
    const signed = isLast && choice.reasoning.length > 0 ? signature(script) : {};
    parts.push({ text: joined(choice.text), ...signed });
  }
  return [...parts, ...callParts(choice, script)];
}

/** The first call of a thinking model is signed; ids come only where the script asks for them. */
function callParts(choice: AnswerChoice, script: Script): object[] {
  return choice.toolCalls.map((call, index) => ({
    functionCall: {
      ...(script.toolCalls?.[index]?.id === undefined ? {} : { id: call.id }),
      name: call.name,
      args: parseJson(joined(call.pieces)) ?? {},
    },
    ...(index === 0 && script.reasoning !== undefined ? signature(script) : {}),
  }));
}

function signature(script: Script): { thoughtSignature: string } {
  return { thoughtSignature: script.reasoningSignature ?? defaultSignature };
}

function envelope(answer: Answer): object {
  return { modelVersion: answer.model, responseId: answer.serial };
}

function startUsage(usage: FakeUsage): FakeUsage {
  return { ...usage, outputTokens: 0, reasoningTokens: 0 };
}

function usageMetadata(usage: FakeUsage): Record<string, unknown> {
  const prompt = usage.inputTokens + usage.cachedTokens;
  const candidates = usage.outputTokens - usage.reasoningTokens;
  return {
    promptTokenCount: prompt,
    ...(candidates > 0 ? { candidatesTokenCount: candidates } : {}),
    totalTokenCount: prompt + usage.outputTokens,
    ...(usage.cachedTokens > 0 ? { cachedContentTokenCount: usage.cachedTokens } : {}),
    ...(usage.reasoningTokens > 0 ? { thoughtsTokenCount: usage.reasoningTokens } : {}),
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: prompt }],
  };
}

const bodyFields = new Set(
  `contents systemInstruction generationConfig safetySettings tools toolConfig cachedContent labels serviceTier`.split(
    ' ',
  ),
);
const roles = new Set(['user', 'model']);

/** What the real API refuses: fields it does not know, calls without an answer, results without a call. */
export function geminiRefusal(body: Readonly<Record<string, unknown>>): string | undefined {
  const unknown = Object.keys(body).find((name) => !bodyFields.has(name));
  if (unknown !== undefined) return `Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`;
  const contents = Array.isArray(body.contents) ? body.contents.filter(isRecord) : [];
  for (const [index, content] of contents.entries()) {
    if (content.role !== undefined && !roles.has(String(content.role))) return 'Please use a valid role: user, model.';
    const parts = Array.isArray(content.parts) ? content.parts.filter(isRecord) : [];
    if (parts.length === 0) return `contents[${index}].parts must not be empty.`;
    const calls = parts.filter((part) => part.functionCall !== undefined).length;
    const results = parts.filter((part) => part.functionResponse !== undefined).length;
    const next = contents[index + 1];
    const answers = isRecord(next) && Array.isArray(next.parts) ? next.parts.filter(isRecord) : [];
    const answered = answers.filter((part) => part.functionResponse !== undefined).length;
    if (calls > 0 && next !== undefined && calls !== answered) {
      return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
    }
    if (results > 0 && index === 0) return 'Function response turn must come immediately after a function call turn.';
  }
  return undefined;
}

import { expect, test } from 'vitest';
import { GatewayError } from '../core/errors.ts';
import { anthropicMessages } from './anthropic-messages/index.ts';
import { errorFacts } from './error-facts.ts';
import { openaiChat } from './openai-chat/index.ts';

const facts = (body: unknown) => errorFacts(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)));

test.each<[unknown, object]>([
  [
    { error: { message: 'No', type: 't', param: 'p', code: 'c' } },
    { message: 'No', type: 't', param: 'p', code: 'c', kind: undefined },
  ],
  [
    { type: 'error', error: { type: 'overloaded_error', message: 'Busy' } },
    { message: 'Busy', type: 'overloaded_error' },
  ],
  [{ error: 'model not found' }, { message: 'model not found' }],
  [
    { object: 'error', message: 'Bad', type: 'BadRequestError', code: 400 },
    { message: 'Bad', code: '400' },
  ],
  [{ detail: [{ loc: ['body', 'n'], msg: 'wrong' }] }, { message: 'body.n: wrong' }],
  [{ detail: 'Not Found' }, { message: 'Not Found' }],
  [{ detail: { status: 'voice_not_found', message: 'No such voice' } }, { message: 'No such voice' }],
  [{ err_code: 'INVALID_AUTH', err_msg: 'Invalid credentials.' }, { message: 'Invalid credentials.' }],
  [{ id: 'a', name: 'bad_request', errors: ['prompt: required'] }, { message: 'prompt: required' }],
  [[{ error: { message: 'listed' } }], { message: 'listed' }],
  ['Service Unavailable', { message: 'Service Unavailable' }],
  ['<!DOCTYPE html><h1>502</h1>', { message: undefined }],
  ['{"error": {"mess', { message: undefined }],
  ['', { message: undefined }],
  ['null', { message: undefined }],
])('%j', (body, expected) => {
  expect(facts(body)).toMatchObject(expected);
});

test.each([
  "This model's maximum context length is 8192 tokens",
  'prompt is too long: 210000 tokens > 200000 maximum',
  'Input is too long for requested model',
  'the request exceeds the available context size',
])('%s: context window', (message) => {
  expect(facts({ error: { message } }).kind).toBe('context_window');
});

test.each([
  { message: 'x', code: 'content_filter' },
  { message: "triggering Azure OpenAI's content management policy" },
  { message: 'Rejected by our safety system' },
  { message: 'blocked by the input guardrail' },
])('%j: content policy', (error) => {
  expect(facts({ error }).kind).toBe('content_policy');
});

test('inner errors that callers look at are kept', () => {
  const innererror = { code: 'ResponsibleAIPolicyViolation' };
  expect(facts({ error: { message: 'x', code: 'content_filter', innererror } }).fields).toEqual({ innererror });
});

test('as OpenAI tells it', () => {
  const encode = (error: GatewayError) => openaiChat.errors.encode(error, 'r');
  expect(encode(new GatewayError('budget_exceeded', 'Spent.'))).toEqual({
    error: { message: 'Spent.', type: 'budget_exceeded', param: null, code: '429' },
  });
  expect(encode(new GatewayError('key_model_denied', 'No.', { param: 'model' }))).toEqual({
    error: { message: 'No.', type: 'key_model_access_denied', param: 'model', code: '403' },
  });
  expect(encode(new GatewayError('all_cooling_down', 'Wait.'))).toEqual({
    error: { message: 'Wait.', type: 'None', param: 'None', code: '429' },
  });
  expect(openaiChat.errors.streamEvent(new GatewayError('internal', 'x'), 'r').toString()).toMatch(
    /^data: \{"error":\{.*\}\}\n\n$/,
  );
});

test('as Anthropic tells it', () => {
  expect(anthropicMessages.errors.encode(new GatewayError('budget_exceeded', 'Spent.'), 'r-1')).toEqual({
    type: 'error',
    error: { type: 'rate_limit_error', message: 'Spent.' },
    request_id: 'r-1',
  });
  const passed = new GatewayError('upstream_error', 'Busy.', { status: 529 });
  expect(anthropicMessages.errors.encode(passed, 'r-1')).toMatchObject({ error: { type: 'overloaded_error' } });
  expect(anthropicMessages.errors.streamEvent(passed, 'r-1').toString()).toMatch(/^event: error\ndata: .*\n\n$/);
});

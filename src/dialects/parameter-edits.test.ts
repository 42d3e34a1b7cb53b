import { describe, expect, test } from 'vitest';
import { plainOptions } from '../../test/contract/dialect.ts';
import type { EncodeOptions } from '../core/dialect.ts';
import type { JsonObject } from '../core/json.ts';
import { anthropicMessages } from './anthropic-messages/index.ts';
import { openaiChat } from './openai-chat/index.ts';

const reasoning: Partial<EncodeOptions> = { traits: { ...plainOptions.traits, reasoningModel: true } };
const edits = (body: JsonObject, options: Partial<EncodeOptions> = {}) =>
  Object.fromEntries(
    openaiChat.passThrough({ model: 'up', messages: [], ...body }, { ...plainOptions, model: 'up', ...options }),
  );

test('nothing to change is nothing changed', () => {
  expect(edits({ temperature: 0, stream: true, unknown: 1 })).toEqual({});
  expect(edits({ model: 'asked' })).toEqual({ model: 'up' });
});

test('gateway fields leave, defaults fill what is absent or null, additions always apply', () => {
  expect(
    edits(
      { tags: ['x'], temperature: null, top_p: 0.5 },
      {
        gatewayFields: new Set(['tags', 'cache']),
        defaults: { temperature: 0.1, top_p: 0.9 },
        extraBody: { top_k: 3 },
      },
    ),
  ).toEqual({ tags: undefined, temperature: 0.1, top_k: 3 });
});

test('usage is asked for in streams only, and what else was asked stays', () => {
  const options = { usageInStream: 'stream_options' } as const;
  expect(edits({ stream: true }, options)).toEqual({ stream_options: { include_usage: true } });
  expect(edits({ stream: true, stream_options: { include_obfuscation: false } }, options)).toEqual({
    stream_options: { include_obfuscation: false, include_usage: true },
  });
  expect(edits({ stream: true, stream_options: { include_usage: true } }, options)).toEqual({});
  expect(edits({}, options)).toEqual({});
  expect(edits({ stream: true }, { usageInStream: 'always' })).toEqual({});
});

describe('the cap on output', () => {
  test('is clamped under the name the caller used', () => {
    expect(edits({ max_tokens: 900 }, { maxOutputTokensClamp: 100 })).toEqual({ max_tokens: 100 });
    expect(edits({ max_completion_tokens: 900 }, { maxOutputTokensClamp: 100 })).toEqual({
      max_completion_tokens: 100,
    });
    expect(edits({}, { maxOutputTokensClamp: 100 })).toEqual({ max_tokens: 100 });
    expect(edits({ max_tokens: 50 }, { maxOutputTokensClamp: 100 })).toEqual({});
  });

  test('is renamed for reasoning models', () => {
    expect(edits({ max_tokens: 900 }, reasoning)).toEqual({ max_tokens: undefined, max_completion_tokens: 900 });
    expect(edits({}, { ...reasoning, defaults: { max_tokens: 5 } })).toEqual({
      max_tokens: undefined,
      max_completion_tokens: 5,
    });
  });

  test('of two, the one that counts is kept', () => {
    expect(edits({ max_tokens: 900, max_completion_tokens: 50 })).toEqual({ max_tokens: undefined });
  });

  test('a default does not stand beside the caller’s own', () => {
    expect(edits({ max_completion_tokens: 50 }, { defaults: { max_tokens: 5 } })).toEqual({});
    expect(edits({}, { defaults: { max_tokens: 5 } })).toEqual({ max_tokens: 5 });
  });

  test('is written where the format requires one, and stays above a thinking budget', () => {
    const body = { model: 'up', messages: [], thinking: { type: 'enabled', budget_tokens: 9000 } };
    const messageEdits = (options: Partial<EncodeOptions>) =>
      Object.fromEntries(anthropicMessages.passThrough(body, { ...plainOptions, model: 'up', ...options }));
    expect(messageEdits({ maxOutputTokensDefault: 10_000 })).toEqual({ max_tokens: 10_000 });
    expect(messageEdits({ maxOutputTokensClamp: 2000 })).toEqual({
      max_tokens: 2000,
      thinking: { type: 'enabled', budget_tokens: 1999 },
    });
    expect(messageEdits({ maxOutputTokensClamp: 500 })).toEqual({ max_tokens: 500, thinking: undefined });
  });
});

describe('unsupported parameters', () => {
  const options: Partial<EncodeOptions> = { traits: { ...plainOptions.traits, unsupportedParams: ['seed', 'top_k'] } };

  test('are refused by name, unless null', () => {
    expect(() => edits({ seed: 1, top_k: 2 }, options)).toThrow("['seed', 'top_k']");
    expect(() => edits({ seed: 1 }, options)).toThrow(/^litellm\.UnsupportedParamsError: /);
    expect(edits({ seed: null }, options)).toEqual({});
  });

  test('that do not change the answer are left out without a word', () => {
    const sparing = { traits: { ...plainOptions.traits, unsupportedParams: ['user', 'stream_options'] } };
    const asked = { user: 'u', stream: true, stream_options: { include_usage: true } };
    expect(edits(asked, { ...sparing, usageInStream: 'stream_options' })).toEqual({
      user: undefined,
      stream_options: undefined,
    });
  });

  test('are dropped, allowed or dropped by name as the operator says', () => {
    expect(edits({ seed: 1 }, { ...options, dropParams: true })).toEqual({ seed: undefined });
    expect(edits({ seed: 1 }, { ...options, allowedParams: ['seed'] })).toEqual({});
    expect(edits({ seed: 1 }, { ...options, additionalDropParams: ['seed'] })).toEqual({ seed: undefined });
    expect(edits({}, { ...options, defaults: { seed: 4 } })).toEqual({});
  });

  test('of reasoning models are those with another value than usual', () => {
    expect(edits({ temperature: 1, top_p: 1, logprobs: false }, reasoning)).toEqual({});
    expect(() => edits({ temperature: 0.2, logit_bias: {} }, reasoning)).toThrow("['temperature', 'logit_bias']");
  });
});

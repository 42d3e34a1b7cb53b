import { expect, test } from 'vitest';
import { providerContract } from '../../../test/contract/provider.ts';
import { anthropic } from './index.ts';

providerContract(anthropic, [
  {
    dialect: 'anthropic-messages',
    model: 'claude-x',
    address: 'https://api.anthropic.com/v1/messages',
    headers: { 'x-api-key': 'sk-canary-credential-42', 'anthropic-version': '2023-06-01' },
  },
  {
    settings: { baseUrl: 'http://127.0.0.1:9' },
    dialect: 'anthropic-messages',
    model: 'claude-x',
    address: 'http://127.0.0.1:9/v1/messages',
  },
]);

test.each([
  ['claude-3-5-sonnet-20241022', false, false],
  ['claude-sonnet-4-20250514', false, false],
  ['claude-haiku-4-5-20251001', true, false],
  ['claude-opus-4-6', true, true],
  ['claude-sonnet-5', true, true],
  ['claude-x', false, false],
])('%s: schemas %s, adaptive thinking %s', (model, supportsJsonSchema, adaptiveThinking) => {
  expect(anthropic.traits(model)).toMatchObject({ supportsJsonSchema, adaptiveThinking });
});

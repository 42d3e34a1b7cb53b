import { expect, test } from 'vitest';
import { snapshotOf } from '../../../test/journeys/gateway-rig.ts';
import { findModel } from './model-lookup.ts';

const snapshot = snapshotOf(`model_list:
  - { model_name: "gemini/*", litellm_params: { model: "gemini/*", api_key: sk-1 } }
  - { model_name: "my-*-at-home", litellm_params: { model: "replicate/*", api_key: sk-1 } }
`);

test.each([
  'gemini/gemini-2.5-flash',
  'gemini/tunedModels/mine',
  'gemini/models/..hidden/a.b..',
  'gemini/My Model (Q4_K_M)',
  'gemini/owner/name:version@2',
  'my-owner/name-at-home',
])('%s is found by its pattern', (name) => {
  expect(findModel(snapshot, name)).not.toBeNull();
});

test.each([
  'gemini/../../files',
  'gemini/a/..',
  'gemini/./a',
  'gemini/%2e%2e/files',
  'gemini/veo-3:predictLongRunning?a=',
  'gemini/veo-3:predictLongRunning#',
  'gemini/..\\files',
  'gemini/a\r\nx: y',
  'gemini/\ud800',
  'my-..-at-home',
])('%j is the name of no model: it would ask for something else at the provider', (name) => {
  expect(findModel(snapshot, name)).toBeNull();
});

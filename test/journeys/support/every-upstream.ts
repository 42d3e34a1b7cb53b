import { type FakeProvider, startFakeProvider } from '../../fake-provider/index.ts';
import { deployment } from './config-text.ts';
import { type GatewayProcess, startGateway } from './gateway-process.ts';

const upstreams: Readonly<Record<string, readonly [model: string, params?: object, info?: object]>> = {
  'openai-chat': ['hosted_vllm/some-model'],
  'openai-chat and openai-responses': ['openai/some-model'],
  'mistral-chat': ['mistral/some-mistral'],
  'openai-responses': ['openai/some-pro', {}, { mode: 'responses' }],
  'anthropic-messages': ['anthropic/some-claude', { api_base: '' }],
  'gemini-generate': ['gemini/gemini-2.5-flash'],
  'cohere-chat': ['cohere/command-a', { api_base: '' }],
  'ollama-chat': ['ollama/llama3.2', { api_base: '' }],
  'bedrock-converse': ['bedrock/us.amazon.nova-pro-v1:0', { api_base: '' }],
  'bedrock-invoke': ['bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0', { api_base: '' }],
};

/** Formats that providers speak. */
export const names = Object.keys(upstreams);

/** The model that is asked for where a provider speaks that format. */
export const groupOf = (name: string) => `m${names.indexOf(name)}`;

/** One provider, in front of it a gateway with a model for every format. */
export async function startEveryUpstream(): Promise<{ fake: FakeProvider; gateway: GatewayProcess }> {
  const fake = await startFakeProvider({ strict: true });
  const list = names.map((name) => {
    const [model, params, info] = upstreams[name]!;
    const base = params !== undefined && 'api_base' in params ? { api_base: fake.url } : {};
    const more = info === undefined ? '' : `\n    model_info: ${JSON.stringify(info)}`;
    return deployment(groupOf(name), fake.url, model, base) + more;
  });
  const gateway = await startGateway({
    config: `model_list:
${list.join('\n')}
router_settings: {num_retries: 0, disable_cooldowns: true}
# Groq's client cannot ask for usage: its service always tells it.
general_settings: {always_include_stream_usage: true}
`,
  });
  return { fake, gateway };
}

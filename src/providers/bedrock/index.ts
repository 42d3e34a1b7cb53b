import { AwsChunkFraming } from '../../core/aws-event-chunks.ts';
import type { ConnectionSettings } from '../../core/provider.ts';
import { claudeTraits } from '../claude-generation.ts';
import { bearer, defineProvider } from '../define.ts';
import { identityVariables, textOf } from './identity.ts';
import { invokeEdits } from './invoke.ts';
import { jobsPlace, jobsVariables } from './jobs.ts';
import { regionOf, regionVariables, signed, suffixOf } from './signing.ts';

/** Words in front of a model's name that only say how it is to be asked, or of what family it is. */
const hints = /^(?:converse|converse_like|invoke|anthropic|llama|nova|openai|qwen2|qwen3|deepseek_r1|titan)\//;
const regionPrefix = /^([a-z]{2}(?:-gov)?-[a-z]+-\d)\//;
const arnRegion = /^arn:aws[\w-]*:bedrock:([a-z0-9-]+):/;

/** How names of inference profiles begin, and those of models. */
const areas = ['us.', 'eu.', 'apac.', 'au.', 'jp.', 'ca.', 'global.', 'us-gov.'];
const makers = [
  ...['ai21', 'amazon', 'anthropic', 'cohere', 'deepseek', 'google', 'meta', 'minimax', 'mistral', 'moonshot'],
  ...['moonshotai', 'nvidia', 'openai', 'qwen', 'stability', 'twelvelabs', 'writer', 'xai', 'zai'],
];

export const bedrock = defineProvider({
  id: 'bedrock',
  name: 'Bedrock',
  conventionName: 'aws.bedrock',
  documentation: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html',
  checkedAgainst:
    '@aws-sdk/client-bedrock-runtime 3.1164.0; bodies of Titan and of rerankers with clients in public repositories',
  aliases: ['bedrock_converse'],
  modelPrefixes: ['', ...areas].flatMap((area) => makers.map((maker) => `${area}${maker}.`)),
  baseUrl: null,
  baseUrlVariable: 'AWS_BEDROCK_RUNTIME_ENDPOINT',
  credentialVariable: 'AWS_BEARER_TOKEN_BEDROCK',
  requiresCredential: false,
  environmentVariables: [...identityVariables, ...regionVariables, ...jobsVariables],
  dialects: {
    chat: ['bedrock-converse', 'anthropic-messages'],
    embedding: ['titan-embed', 'invoked-cohere-embed'],
    rerank: ['invoked-rerank'],
  },
  // https://aws.amazon.com/bedrock/pricing/
  unitPrices: { 'cohere.rerank-': { query: 0.002 }, 'amazon.rerank-': { query: 0.001 } },
  catalogueIds: ['bedrock', 'bedrock_converse', 'aws'],
  usageInStream: 'always',
  // What was begun is finished, and billed.
  stopsOnHangup: false,
  auth: bearer(),
  authorize: (settings) =>
    settings.credential === null
      ? signed(settings, regionOf(settings, namedRegion(settings.model)), 'bedrock')
      : undefined,
  adjust: (settings) => ({ ...settings, baseUrl: address(settings) }),
  path: ({ dialect, model, stream, settings }) => {
    const id = encodeURIComponent(textOf(settings.extra.model_id) ?? modelId(model));
    const verb =
      dialect !== 'bedrock-converse'
        ? stream
          ? 'invoke-with-response-stream'
          : 'invoke'
        : stream
          ? 'converse-stream'
          : 'converse';
    return `/model/${id}/${verb}`;
  },
  edits: (call) => (call.dialect === 'anthropic-messages' ? invokeEdits(call) : new Map()),
  reframe: (dialect) => (dialect === 'anthropic-messages' ? new AwsChunkFraming() : null),
  // https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference.html
  batchDesk: 'bedrock-jobs',
  batchPriceRatio: 0.5,
  batchPlace: (settings) => {
    const region = regionOf(settings, namedRegion(settings.model));
    return jobsPlace(settings, region, (model) => textOf(settings.extra.model_id) ?? modelId(model));
  },
  modelsPath: null,
  traits: (model) => {
    if (model.includes('embed'))
      return { soleDialect: model.includes('cohere') ? 'invoked-cohere-embed' : 'titan-embed' };
    const isClaude = /claude|anthropic/.test(model);
    return {
      supportsJsonSchema: false,
      ...(isClaude && claudeTraits(model)),
      // Both ways to ask take bytes, never addresses.
      supportsImageUrls: false,
      ...(model.includes('converse/') || !isClaude ? { soleDialect: 'bedrock-converse' as const } : {}),
      ...(model.includes('invoke/') && isClaude ? { soleDialect: 'anthropic-messages' as const } : {}),
    };
  },
});

function namedRegion(model: string): string | undefined {
  const plain = model.replace(hints, '');
  return regionPrefix.exec(plain)?.[1] ?? arnRegion.exec(plain)?.[1];
}

function modelId(model: string): string {
  let id = model;
  for (let before = ''; before !== id; ) {
    before = id;
    id = id.replace(hints, '').replace(regionPrefix, '');
  }
  return id;
}

function address(settings: ConnectionSettings): string {
  const region = regionOf(settings, namedRegion(settings.model));
  const own = textOf(settings.extra.aws_bedrock_runtime_endpoint);
  return own ?? settings.baseUrl ?? `https://bedrock-runtime.${region}.${suffixOf(region)}`;
}

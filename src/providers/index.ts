import type { Provider, ProviderDirectory } from '../core/provider.ts';
import { ai21 } from './ai21/index.ts';
import { ai302 } from './ai302/index.ts';
import { aihubmix } from './aihubmix/index.ts';
import { aiml } from './aiml/index.ts';
import { anthropic } from './anthropic/index.ts';
import { anyscale } from './anyscale/index.ts';
import { aphrodite } from './aphrodite/index.ts';
import { arcee } from './arcee/index.ts';
import { assemblyai } from './assemblyai/index.ts';
import { avian } from './avian/index.ts';
import { azure } from './azure/index.ts';
import { azureAi } from './azure_ai/index.ts';
import { baichuan } from './baichuan/index.ts';
import { baseten } from './baseten/index.ts';
import { bedrock } from './bedrock/index.ts';
import { cerebras } from './cerebras/index.ts';
import { chutes } from './chutes/index.ts';
import { cloudflare } from './cloudflare/index.ts';
import { codestral } from './codestral/index.ts';
import { cohere } from './cohere/index.ts';
import { cometapi } from './cometapi/index.ts';
import { cortecs } from './cortecs/index.ts';
import { crusoe } from './crusoe/index.ts';
import { dashscope } from './dashscope/index.ts';
import { databricks } from './databricks/index.ts';
import { deepgram } from './deepgram/index.ts';
import { deepinfra } from './deepinfra/index.ts';
import { deepseek } from './deepseek/index.ts';
import { dockerModelRunner } from './docker_model_runner/index.ts';
import { elevenlabs } from './elevenlabs/index.ts';
import { empower } from './empower/index.ts';
import { falAi } from './fal_ai/index.ts';
import { featherlessAi } from './featherless_ai/index.ts';
import { fireworksAi } from './fireworks_ai/index.ts';
import { friendliai } from './friendliai/index.ts';
import { galadriel } from './galadriel/index.ts';
import { gemini } from './gemini/index.ts';
import { gigachat } from './gigachat/index.ts';
import { github } from './github/index.ts';
import { gmi } from './gmi/index.ts';
import { groq } from './groq/index.ts';
import { helicone } from './helicone/index.ts';
import { heroku } from './heroku/index.ts';
import { hostedVllm } from './hosted_vllm/index.ts';
import { huggingface } from './huggingface/index.ts';
import { hunyuan } from './hunyuan/index.ts';
import { hyperbolic } from './hyperbolic/index.ts';
import { inception } from './inception/index.ts';
import { inferenceNet } from './inference_net/index.ts';
import { infinity } from './infinity/index.ts';
import { ionet } from './ionet/index.ts';
import { jinaAi } from './jina_ai/index.ts';
import { klusterAi } from './kluster_ai/index.ts';
import { krutrim } from './krutrim/index.ts';
import { lambdaAi } from './lambda_ai/index.ts';
import { lemonfoxAi } from './lemonfox_ai/index.ts';
import { lepton } from './lepton/index.ts';
import { lingyi } from './lingyi/index.ts';
import { litellmProxy } from './litellm_proxy/index.ts';
import { llamacpp } from './llamacpp/index.ts';
import { lmStudio } from './lm_studio/index.ts';
import { lmdeploy } from './lmdeploy/index.ts';
import { localai } from './localai/index.ts';
import { maritalk } from './maritalk/index.ts';
import { metaLlama } from './meta_llama/index.ts';
import { minimax } from './minimax/index.ts';
import { mistral } from './mistral/index.ts';
import { monsterapi } from './monsterapi/index.ts';
import { moonshot } from './moonshot/index.ts';
import { morph } from './morph/index.ts';
import { nanoGpt } from './nano_gpt/index.ts';
import { nebius } from './nebius/index.ts';
import { novita } from './novita/index.ts';
import { nscale } from './nscale/index.ts';
import { nvidiaNim } from './nvidia_nim/index.ts';
import { oci } from './oci/index.ts';
import { ollama } from './ollama/index.ts';
import { openai } from './openai/index.ts';
import { openaiLike } from './openai_like/index.ts';
import { openrouter } from './openrouter/index.ts';
import { ovhcloud } from './ovhcloud/index.ts';
import { parasail } from './parasail/index.ts';
import { perplexity } from './perplexity/index.ts';
import { poe } from './poe/index.ts';
import { predibase } from './predibase/index.ts';
import { publicai } from './publicai/index.ts';
import { qianfan } from './qianfan/index.ts';
import { reka } from './reka/index.ts';
import { replicate } from './replicate/index.ts';
import { requesty } from './requesty/index.ts';
import { sagemaker } from './sagemaker/index.ts';
import { sambanova } from './sambanova/index.ts';
import { sarvam } from './sarvam/index.ts';
import { scaleway } from './scaleway/index.ts';
import { sensenova } from './sensenova/index.ts';
import { sglang } from './sglang/index.ts';
import { siliconflow } from './siliconflow/index.ts';
import { snowflake } from './snowflake/index.ts';
import { stability } from './stability/index.ts';
import { stepfun } from './stepfun/index.ts';
import { synthetic } from './synthetic/index.ts';
import { targon } from './targon/index.ts';
import { tensorrtLlm } from './tensorrt_llm/index.ts';
import { textEmbeddingsInference } from './text_embeddings_inference/index.ts';
import { tgi } from './tgi/index.ts';
import { togetherAi } from './together_ai/index.ts';
import { tollgate } from './tollgate/index.ts';
import { tritonOpenai } from './triton_openai/index.ts';
import { upstage } from './upstage/index.ts';
import { v0 } from './v0/index.ts';
import { venice } from './venice/index.ts';
import { vercelAiGateway } from './vercel_ai_gateway/index.ts';
import { vertexAi } from './vertex_ai/index.ts';
import { volcengine } from './volcengine/index.ts';
import { voyage } from './voyage/index.ts';
import { wandb } from './wandb/index.ts';
import { watsonx } from './watsonx/index.ts';
import { writer } from './writer/index.ts';
import { xai } from './xai/index.ts';
import { xiaomiMimo } from './xiaomi_mimo/index.ts';
import { xinference } from './xinference/index.ts';
import { zai } from './zai/index.ts';

/** Every provider, one line each. */
export const providers: readonly Provider[] = [
  ai21,
  ai302,
  aihubmix,
  aiml,
  anthropic,
  anyscale,
  aphrodite,
  arcee,
  assemblyai,
  avian,
  azure,
  azureAi,
  baichuan,
  baseten,
  bedrock,
  cerebras,
  chutes,
  cloudflare,
  codestral,
  cohere,
  cometapi,
  cortecs,
  crusoe,
  dashscope,
  databricks,
  deepgram,
  deepinfra,
  deepseek,
  dockerModelRunner,
  elevenlabs,
  empower,
  falAi,
  featherlessAi,
  fireworksAi,
  friendliai,
  galadriel,
  gemini,
  gigachat,
  github,
  gmi,
  groq,
  helicone,
  heroku,
  hostedVllm,
  huggingface,
  hunyuan,
  hyperbolic,
  inception,
  inferenceNet,
  infinity,
  ionet,
  jinaAi,
  klusterAi,
  krutrim,
  lambdaAi,
  lemonfoxAi,
  lepton,
  lingyi,
  litellmProxy,
  llamacpp,
  lmStudio,
  lmdeploy,
  localai,
  maritalk,
  metaLlama,
  minimax,
  mistral,
  monsterapi,
  moonshot,
  morph,
  nanoGpt,
  nebius,
  novita,
  nscale,
  nvidiaNim,
  oci,
  ollama,
  openai,
  openaiLike,
  openrouter,
  ovhcloud,
  parasail,
  perplexity,
  poe,
  predibase,
  publicai,
  qianfan,
  reka,
  replicate,
  requesty,
  sagemaker,
  sambanova,
  sarvam,
  scaleway,
  sensenova,
  sglang,
  siliconflow,
  snowflake,
  stability,
  stepfun,
  synthetic,
  targon,
  tensorrtLlm,
  textEmbeddingsInference,
  tgi,
  togetherAi,
  tollgate,
  tritonOpenai,
  upstage,
  v0,
  venice,
  vercelAiGateway,
  vertexAi,
  volcengine,
  voyage,
  wandb,
  watsonx,
  writer,
  xai,
  xiaomiMimo,
  xinference,
  zai,
];

const byId = new Map(providers.flatMap((provider) => [provider.id, ...provider.aliases].map((id) => [id, provider])));

export const providerDirectory: ProviderDirectory = {
  byId: (id) => byId.get(id),
  byModel: (model) => providers.find((provider) => provider.ownsModel(model)),
  ids: [...byId.keys()],
};

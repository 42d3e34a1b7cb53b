/**
 * Every attribute name that spans and metrics carry, by whose vocabulary it is. `genAi` follows the semantic conventions
 * of OpenTelemetry in the version named here; a newer version is taken up in this file and nowhere else.
 */
export const semanticConventions = {
  version: '1.37.0',
  schemaUrl: 'https://opentelemetry.io/schemas/1.37.0',
} as const;

/** https://opentelemetry.io/docs/specs/semconv/gen-ai/ */
export const genAi = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  conversation: 'gen_ai.conversation.id',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  finishReasons: 'gen_ai.response.finish_reasons',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  tokenType: 'gen_ai.token.type',
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  systemInstructions: 'gen_ai.system_instructions',
} as const;

/** Parameters of a request, by the names that callers give them. */
export const genAiParameters: Readonly<Record<string, string>> = {
  max_tokens: 'gen_ai.request.max_tokens',
  max_completion_tokens: 'gen_ai.request.max_tokens',
  temperature: 'gen_ai.request.temperature',
  top_p: 'gen_ai.request.top_p',
  top_k: 'gen_ai.request.top_k',
  frequency_penalty: 'gen_ai.request.frequency_penalty',
  presence_penalty: 'gen_ai.request.presence_penalty',
  seed: 'gen_ai.request.seed',
  n: 'gen_ai.request.choice.count',
};

/** Conventions that are not about models. */
export const general = {
  errorType: 'error.type',
  httpStatus: 'http.response.status_code',
  httpMethod: 'http.request.method',
  urlPath: 'url.path',
  clientAddress: 'client.address',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  userId: 'user.id',
  sessionId: 'session.id',
} as const;

/** The flat names that people filter by. */
export const flat = {
  model: 'model',
  virtualKey: 'virtual_key',
  totalTokens: 'total_tokens',
  promptTokens: 'prompt_tokens',
  completionTokens: 'completion_tokens',
  latency: 'latency_ms',
  cost: 'cost_usd',
  provider: 'provider',
} as const;

/** Names that LiteLLM's spans carry and its dashboards look for. */
export const litellm = {
  system: 'gen_ai.system',
  totalTokens: 'gen_ai.usage.total_tokens',
  inputCost: 'gen_ai.cost.input_cost',
  outputCost: 'gen_ai.cost.output_cost',
  toolCost: 'gen_ai.cost.tool_usage_cost',
  originalCost: 'gen_ai.cost.original_cost',
  totalCost: 'gen_ai.cost.total_cost',
  isStreaming: 'llm.is_streaming',
  keyHash: 'metadata.user_api_key_hash',
  keyAlias: 'metadata.user_api_key_alias',
  teamId: 'metadata.user_api_key_team_id',
  teamAlias: 'metadata.user_api_key_team_alias',
  organizationId: 'metadata.user_api_key_org_id',
  userId: 'metadata.user_api_key_user_id',
  userEmail: 'metadata.user_api_key_user_email',
  endUserId: 'metadata.user_api_key_end_user_id',
} as const;

export const ours = {
  requestId: 'tollgate.request_id',
  callId: 'tollgate.call_id',
  status: 'tollgate.status',
  deployment: 'tollgate.deployment_id',
  group: 'tollgate.model_group',
  cacheHit: 'tollgate.cache_hit',
  tags: 'tollgate.tags',
  gatewayTime: 'tollgate.gateway_time_ms',
  providerTime: 'tollgate.provider_time_ms',
  firstToken: 'tollgate.time_to_first_token_ms',
  tokensPerSecond: 'tollgate.output_tokens_per_second',
  attempt: 'tollgate.attempt',
  attempts: 'tollgate.attempts',
  cachedTokens: 'tollgate.cached_input_tokens',
  reasoningTokens: 'tollgate.reasoning_tokens',
} as const;

/** https://langfuse.com/integrations/native/opentelemetry#property-mapping */
export const langfuse = {
  traceName: 'langfuse.trace.name',
  userId: 'langfuse.user.id',
  sessionId: 'langfuse.session.id',
  tags: 'langfuse.trace.tags',
  traceMetadata: 'langfuse.trace.metadata.',
  traceInput: 'langfuse.trace.input',
  traceOutput: 'langfuse.trace.output',
  version: 'langfuse.version',
  release: 'langfuse.release',
  environment: 'langfuse.environment',
  type: 'langfuse.observation.type',
  level: 'langfuse.observation.level',
  statusMessage: 'langfuse.observation.status_message',
  input: 'langfuse.observation.input',
  output: 'langfuse.observation.output',
  metadata: 'langfuse.observation.metadata.',
  model: 'langfuse.observation.model.name',
  parameters: 'langfuse.observation.model.parameters',
  usage: 'langfuse.observation.usage_details',
  cost: 'langfuse.observation.cost_details',
  completionStart: 'langfuse.observation.completion_start_time',
} as const;

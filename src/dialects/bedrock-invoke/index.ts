import type { CallAddress, Dialect } from '../../core/dialect.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { malformed } from '../body-checks.ts';
import { chatModels } from './chat-models.ts';
import { claude } from './claude.ts';
import { nova } from './nova.ts';
import { promptFamilies } from './prompt-families.ts';
import { promptDialect } from './prompts.ts';

const titan = promptDialect(promptFamilies.titan);
const llama = promptDialect(promptFamilies.llama);
const mistral = promptDialect(promptFamilies.mistral);
const deepseek = promptDialect(promptFamilies.deepseek);
const command = promptDialect(promptFamilies.command);
const commandR = promptDialect(promptFamilies.commandR);

/**
 * InvokeModel: every family of models has a body of its own, and what it is follows from its members. Bodies that look the
 * same in several families are told apart by the model's name, which is the model's own in most configurations.
 */
function kindOf(body: JsonObject, address?: CallAddress): Dialect {
  const model = address?.model ?? '';
  if (body.anthropic_version !== undefined) return claude;
  if (Array.isArray(body.messages)) return isNova(body) ? nova : chatModels;
  if (typeof body.inputText === 'string') return titan;
  if (typeof body.message === 'string') return commandR;
  if (typeof body.prompt === 'string') {
    if (body.max_gen_len !== undefined || /llama/i.test(model)) return llama;
    if (/deepseek/i.test(model) || body.prompt.includes('<｜User｜>')) return deepseek;
    if (/command|cohere/i.test(model) || commandFields.some((name) => body[name] !== undefined)) return command;
    if (/mi[sx]tral/i.test(model) || body.prompt.includes('[INST]')) return mistral;
    throw malformed(
      'prompt',
      `the family of ${JSON.stringify(model.slice(0, 80))} is not to be seen: name it as Amazon does, or ask by Converse`,
    );
  }
  throw malformed(
    'body',
    'expected that of a model of Anthropic (anthropic_version), Amazon, Meta, Mistral, Cohere, AI21 or DeepSeek: messages, prompt, message or inputText',
  );
}

const commandFields = ['p', 'k', 'return_likelihoods', 'num_generations', 'stop_sequences'];

/** Its contents are lists of blocks without a type. */
function isNova({ schemaVersion, inferenceConfig, messages }: JsonObject): boolean {
  if (schemaVersion !== undefined || inferenceConfig !== undefined) return true;
  const first = Array.isArray(messages) ? messages[0] : undefined;
  const block = isJsonObject(first) && Array.isArray(first.content) ? first.content[0] : undefined;
  return isJsonObject(block) && block.type === undefined;
}

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html */
export const bedrockInvoke: Dialect = Object.freeze({ ...claude, kindOf });

import type { DialectName } from '../../src/core/operation.ts';

/** Why a provider's format cannot say something, and where that was looked up: for every row of its table with a ○. */
export interface Reason {
  /** Names of features. */
  readonly rows: readonly string[];
  readonly why: string;
}

export const reasons: Partial<Record<DialectName, readonly Reason[]>> = {
  'anthropic-messages': [
    {
      rows: ['audio'],
      why: 'content blocks are text, images and documents (@anthropic-ai/sdk 1.12.0, beta blocks included)',
    },
  ],
  'cohere-chat': [
    {
      rows: ['files', 'audio'],
      why: 'what a user says is made of `text` and `image_url`; `documents` are texts to cite from, not files (cohere-ai 8.1.0)',
    },
  ],
  'ollama-chat': [
    {
      rows: ['files'],
      why: 'a message has text and `images` (which take sounds, too), nothing else (llm/media.go, ollama 0.6.4)',
    },
    { rows: ['tool choice'], why: 'a request has `tools` and no choice among them (ollama 0.6.4, docs/api.md)' },
    {
      rows: ['answer: citations', 'stream: citations'],
      why: 'an answer has text, thinking and tool calls (ollama 0.6.4)',
    },
  ],
  'replicate-chat': [
    {
      rows: ['tools', 'parallel tools', 'tool choice'],
      why:
        'predictions have no functions of the caller’s: what a model calls `tools` are its maker’s own (replicate 1.4.0). ' +
        'Members that nobody else knows go into `input` as they are',
    },
    {
      rows: ['structured output'],
      why: 'there is no input for it that models share; one that a model has (`json_schema`) can be sent by its own name',
    },
    {
      rows: [
        'answer: tools',
        'answer: parallel tools',
        'answer: reasoning',
        'answer: citations',
        'stream: tools',
        'stream: parallel tools',
        'stream: reasoning',
        'stream: citations',
      ],
      why: 'the output of a language model is text (replicate 1.4.0)',
    },
  ],
};

/** What a ● means in a table, where it needs a word. */
export const remarks: Partial<Record<DialectName, string>> = {
  'gigachat-chat':
    'Images, sounds and documents are put into the provider’s store of files before the request, and removed from it after: at most 24 a request.',
  'replicate-chat':
    'Images, sounds, files and an effort to think go where the model says it takes them: its description is asked for once an hour. What it has no input for is refused. ' +
    'Media beyond 256 KiB lie in the provider’s store of files while they are worked on.',
};

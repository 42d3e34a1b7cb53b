import type { StreamPart } from '../../src/core/neutral.ts';
import type { Usage } from '../../src/core/usage.ts';

/** What a stream has said once it is put together, in the shape of `expected.json`. */
export interface StreamSummary {
  readonly choices: readonly ChoiceSummary[];
  readonly usage: Usage | null;
  readonly ending: 'open' | 'complete' | 'error';
}

export interface ChoiceSummary {
  readonly blocks: readonly BlockSummary[];
  readonly finish: string | null;
  readonly stopSequence?: string;
}

export interface BlockSummary {
  kind: 'text' | 'reasoning' | 'refusal' | 'call' | 'image' | 'vendor';
  text?: string;
  id?: string;
  name?: string;
  signature?: string;
  redacted?: string;
  annotations?: unknown[];
  /** How many events of the dialect's own belong to the block. */
  events?: number;
}

interface OpenChoice {
  blocks: Map<number, BlockSummary>;
  finish: string | null;
  stopSequence?: string;
}

/** Puts parts together; throws when a part stands where it cannot. */
export function summarize(parts: readonly StreamPart[]): StreamSummary {
  const choices = new Map<number, OpenChoice>();
  const ended = new Set<string>();
  let usage: Usage | null = null;
  let ending: StreamSummary['ending'] = 'open';
  for (const part of parts) {
    if (ending !== 'open') throw new Error(`${part.type} after the end`);
    switch (part.type) {
      case 'start':
        usage = part.usage ?? null;
        break;
      case 'usage':
        usage = part.usage;
        break;
      case 'error':
        ending = 'error';
        break;
      case 'end':
        ending = 'complete';
        break;
      case 'ping':
        break;
      case 'finish': {
        const choice = choiceOf(choices, part.choice);
        if (choice.finish !== null) throw new Error('finished twice');
        choice.finish = part.reason;
        if (part.stopSequence !== undefined) choice.stopSequence = part.stopSequence;
        break;
      }
      default: {
        const choice = choiceOf(choices, part.choice);
        const key = `${part.choice}/${part.block}`;
        if (ended.has(key)) throw new Error(`${part.type} after the end of its block`);
        if (choice.finish !== null) throw new Error(`${part.type} after the finish`);
        if (part.type === 'block-end') ended.add(key);
        else addTo(choice.blocks, part);
      }
    }
  }
  const ordered = [...choices].sort(([a], [b]) => a - b).map(([, choice]) => choice);
  return { choices: ordered.map((choice) => ({ ...choice, blocks: [...choice.blocks.values()] })), usage, ending };
}

function choiceOf(choices: Map<number, OpenChoice>, index: number): OpenChoice {
  let choice = choices.get(index);
  if (choice === undefined) {
    choice = { blocks: new Map(), finish: null };
    choices.set(index, choice);
  }
  return choice;
}

type BlockPart = Exclude<Extract<StreamPart, { block: number }>, { type: 'block-end' }>;

function addTo(blocks: Map<number, BlockSummary>, part: BlockPart): void {
  const found = blocks.get(part.block);
  switch (part.type) {
    case 'text-start':
      blocks.set(part.block, { kind: 'text', text: '' });
      return;
    case 'reasoning-start':
      blocks.set(part.block, {
        kind: 'reasoning',
        text: '',
        ...(part.redacted === undefined ? {} : { redacted: part.redacted }),
      });
      return;
    case 'tool-call-start':
      blocks.set(part.block, { kind: 'call', id: part.id, name: part.name, text: '' });
      return;
    case 'vendor': {
      const block = found ?? { kind: 'vendor' };
      block.events = (block.events ?? 0) + 1;
      blocks.set(part.block, block);
      return;
    }
    case 'image':
      blocks.set(part.block, { kind: 'image', text: JSON.stringify(part.source) });
      return;
    case 'annotation':
      if (found === undefined) throw new Error('an annotation without its text');
      found.annotations = [...(found.annotations ?? []), part.annotation];
      return;
    case 'refusal-delta': {
      const block = found ?? { kind: 'refusal', text: '' };
      block.text += part.text;
      blocks.set(part.block, block);
      return;
    }
    default:
      if (found === undefined) throw new Error(`${part.type} without a start`);
      if (part.type === 'reasoning-signature') found.signature = part.signature;
      else found.text += part.type === 'tool-call-delta' ? part.arguments : part.text;
  }
}

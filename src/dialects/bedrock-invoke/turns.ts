import type { NeutralMessage, TextBlock } from '../../core/neutral.ts';

/** A conversation that was written out as one text, with the marks of the family of models that reads it. */
export interface Turns {
  readonly system: TextBlock[];
  readonly messages: NeutralMessage[];
}

/**
 * Taken apart, so that another model gets its own marks in their place. A text without marks is what a user says.
 * Llama 3: https://www.llama.com/docs/model-cards-and-prompt-formats/; Mistral and Llama 2: `[INST]`; DeepSeek: `<｜User｜>`; Titan: `User:`, `Bot:`.
 */
export function turnsIn(prompt: string): Turns {
  const turns: [role: string, text: string][] = prompt.includes('<|start_header_id|>')
    ? marked(
        prompt,
        /<\|start_header_id\|>\s*(\w+)\s*<\|end_header_id\|>/g,
        /<\|(?:eot_id|eom_id|begin_of_text|end_of_text)\|>/g,
      )
    : prompt.includes('[INST]')
      ? instructions(prompt)
      : prompt.includes('<｜User｜>')
        ? marked(prompt, /<｜(User|Assistant)｜>/g, /<｜(?:begin|end)▁of▁sentence｜>/g)
        : /(?:^|\n)User: /.test(prompt) && /\nBot:/.test(prompt)
          ? marked(prompt, /(?:^|\n)(User|Bot):/g, /(?!)/g)
          : [['user', prompt]];
  const system: TextBlock[] = [];
  const messages: NeutralMessage[] = [];
  for (const [name, raw] of turns) {
    const text = raw.trim();
    if (text === '') continue;
    const role = /^(assistant|bot)$/i.test(name) ? 'assistant' : 'user';
    if (/^system$/i.test(name)) system.push({ type: 'text', text });
    else if (messages.at(-1)?.role === role) messages.at(-1)!.content.push({ type: 'text', text });
    else messages.push({ role, content: [{ type: 'text', text }] });
  }
  return {
    system,
    messages: messages.length > 0 ? messages : [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
  };
}

/** What stands before the first mark is said by nobody in particular: the system. */
function marked(prompt: string, mark: RegExp, dropped: RegExp): [string, string][] {
  const pieces = prompt.split(mark);
  const turns: [string, string][] = [['system', pieces[0] ?? '']];
  for (let at = 1; at < pieces.length; at += 2) turns.push([pieces[at]!, pieces[at + 1] ?? '']);
  return turns.map(([role, text]) => [role, text.replace(dropped, '')]);
}

function instructions(prompt: string): [string, string][] {
  const turns: [string, string][] = [];
  for (const piece of prompt.replace(/<\/?s>/g, '').split('[INST]')) {
    const [asked = '', said = ''] = piece.includes('[/INST]') ? piece.split('[/INST]') : ['', piece];
    const found = /^\s*<<SYS>>([\s\S]*?)<<\/SYS>>([\s\S]*)$/.exec(asked);
    if (found !== null) turns.push(['system', found[1]!]);
    turns.push(['user', found?.[2] ?? asked], ['assistant', said]);
  }
  return turns;
}

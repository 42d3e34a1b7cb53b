import { describe, expect, test } from 'vitest';
import { plainOptions } from '../../test/contract/dialect.ts';
import { anthropicMessages } from './anthropic-messages/index.ts';
import { gemini } from './gemini/index.ts';
import { openaiChat } from './openai-chat/index.ts';
import { googleSignature, signedCallId, splitCallId } from './thought-signature.ts';

/** A turn of Gemini's with a signed call, as a caller of each format has it. */
const id = signedCallId('fc1', 'c2lnbmF0dXJl+/==');
const chat = {
  model: 'm',
  messages: [
    { role: 'user', content: 'Weather?' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id, type: 'function', function: { name: 'w', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: id, content: 'sunny' },
  ],
};
const messages = {
  model: 'm',
  max_tokens: 10,
  messages: [
    { role: 'user', content: 'Weather?' },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: '', signature: googleSignature('abc') },
        { type: 'tool_use', id, name: 'w', input: {} },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: 'sunny' }] },
  ],
};

describe('a history that Gemini answered', () => {
  test('goes on to another provider in the same format without what only Google reads', () => {
    const edits = openaiChat.passThrough(chat, { ...plainOptions, model: 'm' });
    expect(edits.get('messages')).toMatchObject([{}, { tool_calls: [{ id: 'fc1' }] }, { tool_call_id: 'fc1' }]);
    const edited = anthropicMessages.passThrough(messages, { ...plainOptions, model: 'm' });
    expect(edited.get('messages')).toEqual([
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'fc1', name: 'w', input: {} }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'fc1', content: 'sunny' }] },
    ]);
  });

  test('and in another format', () => {
    const asMessages = anthropicMessages.request.encode(openaiChat.request.decode(chat), {
      ...plainOptions,
      model: 'm',
    });
    expect(JSON.stringify(asMessages)).not.toContain('__thought__');
    const asChat = openaiChat.request.encode(anthropicMessages.request.decode(messages), {
      ...plainOptions,
      model: 'm',
    });
    expect(JSON.stringify(asChat)).not.toContain('__thought__');
  });

  test('comes back to Google with every signature in its place', () => {
    for (const request of [openaiChat.request.decode(chat), anthropicMessages.request.decode(messages)]) {
      const body = gemini.request.encode(request, { ...plainOptions, model: 'm' });
      const contents = body.contents as { parts: { functionCall?: object; thoughtSignature?: string }[] }[];
      const call = contents[1]!.parts.find((part) => part.functionCall !== undefined);
      expect(call).toEqual({ functionCall: { id: 'fc1', name: 'w', args: {} }, thoughtSignature: 'c2lnbmF0dXJl+/==' });
    }
  });

  test('a conversation with nothing foreign in it stays as it is, byte for byte', () => {
    const own = { model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }] };
    expect(openaiChat.passThrough(own, { ...plainOptions, model: 'm' }).size).toBe(0);
    expect(splitCallId('call_1')).toEqual({ id: 'call_1', thoughtSignature: undefined });
  });
});

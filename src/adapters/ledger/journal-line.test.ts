import { describe, expect, it } from 'vitest';
import type { DispatchNote } from '../../core/ports.ts';
import { dispatchLine, KeptNote, parseLine } from './journal-line.ts';

const note: DispatchNote = {
  id: 'r1',
  operation: 'chat',
  dialect: 'openai-chat',
  path: '/v1/chat/completions',
  keyId: 'k',
  keyAlias: 'key "a"',
  userId: 'u',
  teamId: 't',
  organizationId: 'o',
  endUserId: 'e',
  tags: ['one'],
  modelAsked: 'm',
  modelGroup: 'g',
  deploymentId: 'd',
  provider: 'p',
  modelUsed: 'm-1',
  stream: false,
  startedAt: 1,
};

describe('the note of a dispatch', () => {
  const read = (line: readonly string[]) => {
    const parsed = parseLine(line.join(''));
    return parsed?.kind === 'dispatched' ? parsed.note : null;
  };

  it('says what it is of, also behind others of the same key', () => {
    const kept = new KeptNote();
    const told = [note, { ...note, id: 'r"2', startedAt: 2 }, note];
    expect(told.map((one) => read(dispatchLine(one, 5, '[]', kept)))).toEqual(told);
  });

  it('says everything in which it differs from the one before', () => {
    for (const [name, value] of Object.entries(note)) {
      const kept = new KeptNote();
      dispatchLine(note, 5, '[]', kept);
      const changed = Array.isArray(value) ? ['two'] : typeof value === 'boolean' ? !value : `${value}9`;
      const other = { ...note, [name]: name === 'startedAt' ? 9 : changed } as DispatchNote;
      expect(read(dispatchLine(other, 5, '[]', kept)), name).toEqual(other);
    }
    const kept = new KeptNote();
    const bought = { ...note, attempts: [{ deploymentId: 'd' }] } as unknown as DispatchNote;
    for (const one of [note, bought, note]) expect(read(dispatchLine(one, 5, '[]', kept))).toEqual(one);
  });
});

import { describe, expect, it } from 'vitest';
import { JsonWriter } from '../../core/json-writer.ts';
import type { DispatchNote } from '../../core/ports.ts';
import { KeptNote, parseLine, writeDispatchLine } from './journal-line.ts';

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
  const read = (of: DispatchNote, kept: KeptNote) => {
    const writer = new JsonWriter();
    writeDispatchLine(writer, of, 5, Buffer.from('[]'), kept);
    const parsed = parseLine(writer.written.toString());
    return parsed?.kind === 'dispatched' ? parsed.note : null;
  };

  it('says what it is of, also behind others of the same key', () => {
    const kept = new KeptNote();
    const told = [note, { ...note, id: 'r"2', startedAt: 2 }, note];
    expect(told.map((one) => read(one, kept))).toEqual(told);
  });

  it('says everything in which it differs from the one before', () => {
    for (const [name, value] of Object.entries(note)) {
      const kept = new KeptNote();
      read(note, kept);
      const changed = Array.isArray(value) ? ['two'] : typeof value === 'boolean' ? !value : `${value}9`;
      const other = { ...note, [name]: name === 'startedAt' ? 9 : changed } as DispatchNote;
      expect(read(other, kept), name).toEqual(other);
    }
    const kept = new KeptNote();
    const bought = { ...note, attempts: [{ deploymentId: 'd' }] } as unknown as DispatchNote;
    for (const one of [note, bought, note]) expect(read(one, kept)).toEqual(one);
  });
});

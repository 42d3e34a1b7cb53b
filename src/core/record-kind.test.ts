import { describe, expect, it } from 'vitest';
import { requestRecord } from '../../test/contract/records.ts';
import { kindOf } from './record-kind.ts';
import type { RequestRecord } from './request-record.ts';

const record = (changes: Partial<RequestRecord> = {}) =>
  requestRecord(crypto.randomUUID(), { deploymentId: 'd', keyId: 'k', ...changes });

describe('the kind of a request', () => {
  it('is one object for all that differ in figures alone', () => {
    expect(kindOf(record({ cost: 5, endedAt: 9, endUserId: 'somebody' }))).toBe(kindOf(record()));
  });

  it('is another one as soon as any word of it differs', () => {
    const kind = kindOf(record());
    for (const [name, value] of Object.entries(kind)) {
      const changed = typeof value === 'boolean' ? !value : typeof value === 'number' ? value + 1 : `${value}-other`;
      const other = kindOf(record({ [name]: changed }));
      expect(other, name).not.toBe(kind);
      expect(other).toMatchObject({ [name]: changed });
    }
  });

  it('is forgotten when there are too many', () => {
    for (let one = 0; one < 12_000; one++) kindOf(record({ keyId: `key-${one}` }));
    expect(kindOf(record({ keyId: 'key-3' }))).toMatchObject({ keyId: 'key-3' });
    for (let one = 0; one < 100; one++) kindOf(record({ path: `/${one}` }));
    expect(kindOf(record({ path: '/3' }))).toMatchObject({ path: '/3' });
  });
});

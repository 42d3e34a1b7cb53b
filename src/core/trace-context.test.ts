import { describe, expect, it } from 'vitest';
import { hexOfRequestId, parseTraceparent, spanId, traceparentOf } from './trace-context.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('traceparent', () => {
  it('is read', () => {
    expect(parseTraceparent(`00-${traceId}-00f067aa0ba902b7-01`)).toEqual({
      traceId,
      spanId: '00f067aa0ba902b7',
      sampled: true,
    });
    expect(parseTraceparent(`00-${traceId}-00f067aa0ba902b7-00`)?.sampled).toBe(false);
    expect(parseTraceparent(`01-${traceId}-00f067aa0ba902b7-03-later`)?.sampled).toBe(true);
  });

  it.each([
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `ff-${traceId}-00f067aa0ba902b7-01`,
    `00-${traceId}-00f067aa0ba902b7-01-more`,
    `00-${traceId.toUpperCase()}-00f067aa0ba902b7-01`,
  ])('is nothing when it is not valid: %s', (text) => expect(parseTraceparent(text)).toBeNull());

  it('is written for a span of the request', () => {
    const trace = { traceId, parentSpanId: null, seed: 'a3ce929d0e0e4736', sampled: true, state: null };
    expect(traceparentOf(trace, 0)).toBe(`00-${traceId}-a3ce929d0e0e4736-01`);
    expect(traceparentOf({ ...trace, sampled: false }, 1)).toBe(`00-${traceId}-a3ce929d0e0e4737-00`);
  });
});

describe('span ids', () => {
  it('are all different within a request', () => {
    const ids = Array.from({ length: 256 }, (_, number) => spanId('a3ce929d0e0e4736', number));
    expect(new Set(ids).size).toBe(256);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}$/);
  });

  it('come from the request, whatever its caller called it', () => {
    expect(hexOfRequestId('mine.0b54f9c5-77a1-4c3e-9c1f-0d9a8f3b2c11')).toBe('0b54f9c577a14c3e9c1f0d9a8f3b2c11');
  });
});

import { describe, expect, it } from 'vitest';
import { attributesIn } from '../../../../test/collector/collector.ts';
import { strictlyDecoded, traceRequest } from '../../../../test/collector/schema.ts';
import { answered, content, said, sinkEntry, uuid } from '../../../../test/contract/sink.ts';
import { noUsage } from '../../../core/usage.ts';
import type { SinkEntry } from '../../sinks/entry.ts';
import { decorateForLangfuse, langfuseEntry } from './langfuse.ts';
import { nanoseconds, ProtobufWriter } from './protobuf-writer.ts';
import { attributesJson, type Span, writeSpan } from './span.ts';
import { spansOf } from './spans-of-request.ts';
import { createTracing } from './tracing.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const entry = (changes: Partial<SinkEntry['record']> = {}, more: Partial<SinkEntry> = {}): SinkEntry => {
  const base = sinkEntry(7, more);
  return { ...base, record: { ...base.record, ...changes } };
};
const attributesOf = (span: Span) =>
  attributesIn(attributesJson([...span.shared.list, ...span.attributes]) as Parameters<typeof attributesIn>[0]);

describe('the spans of a request', () => {
  it('say what it was in both vocabularies', () => {
    const [root] = spansOf(
      entry(
        {
          usage: { ...noUsage, inputTokens: 10, cacheReadTokens: 5, outputTokens: 20 },
          cost: 1_500_000,
          stream: true,
          firstTokenAt: 1_700_000_000_400,
          teamId: 't1',
          sessionId: 's1',
        },
        { parameters: { temperature: 1, max_tokens: 50 } },
      ),
    );
    expect(attributesOf(root!)).toMatchObject({
      model: 'model-a',
      virtual_key: 'team-a',
      prompt_tokens: 15,
      completion_tokens: 20,
      total_tokens: 35,
      latency_ms: 1_000,
      cost_usd: 0.0015,
      provider: 'acme',
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'acme',
      'gen_ai.request.model': 'model-a',
      'gen_ai.response.model': 'model-a-1',
      'gen_ai.usage.input_tokens': 15,
      'gen_ai.usage.output_tokens': 20,
      'gen_ai.response.finish_reasons': ['stop'],
      'gen_ai.conversation.id': 's1',
      'gen_ai.request.temperature': 1,
      'gen_ai.request.max_tokens': 50,
      'tollgate.gateway_time_ms': 0.5,
      'tollgate.provider_time_ms': 900,
      'tollgate.time_to_first_token_ms': 400,
      'tollgate.output_tokens_per_second': 33.333,
    });
    expect(root).toMatchObject({ name: 'chat model-a', kind: 2, isError: false, parentSpanId: null });
  });

  it('call providers and completions as the conventions do', () => {
    const attempts = sinkEntry(1).record.attempts;
    const spans = spansOf(entry({ dialect: 'openai-completions', attempts }), (id) => `well.known.${id}`);
    expect(spans.map(({ name }) => name)).toEqual(['text_completion model-a', 'text_completion model-a-1']);
    for (const span of spans) {
      expect(attributesOf(span)).toMatchObject({
        'gen_ai.operation.name': 'text_completion',
        'gen_ai.provider.name': 'well.known.acme',
      });
    }
    // By which people filter here, and LiteLLM's dashboards there.
    expect(attributesOf(spans[0]!)).toMatchObject({ provider: 'acme', 'gen_ai.system': 'acme' });
  });

  it('hold one for each station that took time and one for each attempt, inside the request', () => {
    const start = 1_700_000_000_000;
    const times = {
      arrived: start - 30,
      received: start,
      identified: start + 0.05,
      planned: start + 0.06,
      admitted: start + 8,
      cacheAsked: start + 1,
      cacheTold: start + 3,
      ended: start + 1_000.5,
    };
    const attempts = [503, 200].map((status, index) => ({
      ...sinkEntry(1).record.attempts[0]!,
      startedAt: start + 10 + index * 100,
      durationMs: 5_000,
      status,
      result: status === 200 ? 'success' : 'upstream_unavailable',
    }));
    const spans = spansOf(entry({ attempts }, { times }));
    expect(spans.map(({ name }) => name)).toEqual([
      'chat model-a',
      'receive',
      'admit',
      'cache',
      'chat model-a-1',
      'chat model-a-1',
    ]);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(6);
    for (const child of spans.slice(1)) {
      expect(child.parentSpanId).toBe(spans[0]!.spanId);
      expect(child.startedAt).toBeGreaterThanOrEqual(spans[0]!.startedAt);
      expect(child.endedAt).toBeLessThanOrEqual(spans[0]!.endedAt);
    }
    expect(spans[4]).toMatchObject({ kind: 3, isError: true });
    expect(attributesOf(spans[4]!)).toMatchObject({
      'error.type': 'upstream_unavailable',
      'http.response.status_code': 503,
    });
  });

  it('carry what was said only where it is wanted', () => {
    const [quiet] = spansOf(entry());
    expect(JSON.stringify(quiet)).not.toContain(said);
    const [told] = spansOf(entry({}, { content: content() }));
    const { 'gen_ai.input.messages': input, 'gen_ai.output.messages': output } = attributesOf(told!);
    expect(JSON.parse(String(input))).toEqual([{ role: 'user', parts: [{ type: 'text', content: said }] }]);
    expect(JSON.parse(String(output))).toEqual([
      { role: 'assistant', parts: [{ type: 'text', content: answered }], finish_reason: 'stop' },
    ]);
  });

  it('belong to the trace of the caller', () => {
    const tracing = createTracing(() => ({
      sampler: { followsCaller: true, ratio: 1 },
      ignoresCaller: false,
      metrics: null,
    }));
    const trace = tracing.begin({ traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'a=b' }, uuid(7));
    const [root] = spansOf(entry({}, { trace }));
    expect(root).toMatchObject({ traceId, parentSpanId: '00f067aa0ba902b7', traceState: 'a=b' });
    expect(tracing.begin({ traceparent: `00-${traceId}-00f067aa0ba902b7-00` }, uuid(7))?.sampled).toBe(false);
    expect(tracing.begin({ traceparent: 'garbage' }, uuid(7))).toMatchObject({ parentSpanId: null, sampled: true });
  });

  it('are sampled by their trace, the same everywhere, at the rate that is set', () => {
    const tracing = createTracing(() => ({
      sampler: { followsCaller: false, ratio: 0.25 },
      ignoresCaller: false,
      metrics: null,
    }));
    const ids = Array.from({ length: 4_000 }, () => crypto.randomUUID());
    const chosen = ids.filter((id) => tracing.begin({}, id)?.sampled);
    expect(chosen.length).toBeGreaterThan(800);
    expect(chosen.length).toBeLessThan(1_200);
    expect(chosen.every((id) => tracing.begin({}, id)?.sampled)).toBe(true);
  });
});

describe('spans for Langfuse', () => {
  const decorated = (changes: Partial<SinkEntry['record']>, more: Partial<SinkEntry> = {}) => {
    const prepared = langfuseEntry(entry(changes, more));
    const [root, ...rest] = spansOf(prepared, undefined, decorateForLangfuse);
    return { root: root!, rest, attributes: attributesOf(root!) };
  };

  it('can be filtered by virtual key, team, user, session, tag and model', () => {
    const { attributes } = decorated({
      teamId: 't1',
      endUserId: 'customer-1',
      sessionId: 's1',
      tags: ['blue'],
      cost: 2_000_000,
      usage: { ...noUsage, inputTokens: 10, cacheReadTokens: 5, outputTokens: 20 },
      metadata: { trace_name: 'checkout', trace_metadata: { step: 3 } },
    });
    expect(attributes).toMatchObject({
      'langfuse.trace.name': 'checkout',
      'langfuse.user.id': 'customer-1',
      'langfuse.session.id': 's1',
      'langfuse.trace.tags': ['blue'],
      'langfuse.trace.metadata.virtual_key': 'team-a',
      'langfuse.trace.metadata.team': 'Team A',
      'langfuse.trace.metadata.model': 'model-a',
      'langfuse.trace.metadata.step': '3',
      'langfuse.observation.type': 'generation',
      'langfuse.observation.model.name': 'model-a-1',
    });
    expect(JSON.parse(String(attributes['langfuse.observation.usage_details']))).toEqual({
      input: 10,
      cache_read_input_tokens: 5,
      output: 20,
      total: 35,
    });
    expect(JSON.parse(String(attributes['langfuse.observation.cost_details']))).toEqual({ total: 0.002 });
  });

  it('join the trace that the caller named', () => {
    expect(decorated({ metadata: { trace_id: traceId } }).root.traceId).toBe(traceId);
    const named = decorated({ metadata: { trace_id: 'my-own-name' } }).root.traceId;
    expect(named).toMatch(/^[0-9a-f]{32}$/);
    expect(decorated({ metadata: { existing_trace_id: 'my-own-name' } }).root.traceId).toBe(named);
  });

  it('say what went wrong', () => {
    const { attributes } = decorated({
      status: 'failure',
      errorMessage: 'the provider is away',
      errorCode: 'upstream',
    });
    expect(attributes).toMatchObject({
      'langfuse.observation.level': 'ERROR',
      'langfuse.observation.status_message': 'the provider is away',
    });
  });
});

describe('the protobuf writer', () => {
  it('writes times to the nanosecond', () => {
    for (const time of [0, 1, 0.000_001, 1_048_575.999_999, 1_048_576, 1_700_000_000_123.456, 4_294_967_296, 2 ** 41]) {
      const writer = new ProtobufWriter();
      writer.nanoseconds(7, time);
      expect(writer.take().readBigUInt64LE(1), String(time)).toBe(nanoseconds(time));
    }
  });

  it('writes what the official schema reads, whatever the text and the length', () => {
    const writer = new ProtobufWriter();
    for (const text of ['', 'a', 'ü'.repeat(100), 'x'.repeat(127), 'x'.repeat(128), '🎈'.repeat(9_000)]) {
      writer.reset();
      const resource = writer.open(1);
      const scope = writer.open(2);
      const [root] = spansOf(entry({ modelAsked: text || 'm', errorMessage: text, status: 'failure' }));
      writeSpan(writer, root!);
      writer.close(scope);
      writer.close(resource);
      const read = strictlyDecoded(traceRequest, writer.take()) as {
        resourceSpans: { scopeSpans: { spans: { name: string }[] }[] }[];
      };
      expect(read.resourceSpans[0]!.scopeSpans[0]!.spans[0]!.name).toBe(`chat ${text || 'm'}`);
    }
  });
});

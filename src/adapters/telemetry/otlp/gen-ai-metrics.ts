import type { RecordSink } from '../../../core/ports.ts';
import { kindOf, type RecordKind } from '../../../core/record-kind.ts';
import type { RequestRecord } from '../../../core/request-record.ts';
import { totalInputTokens, totalOutputTokens } from '../../../core/usage.ts';
import type { MetricSource } from '../exposition.ts';
import { type Distribution, type Family, Histogram } from '../registry.ts';
import { type ConventionName, operationName } from './spans-of-request.ts';
import { genAi, general } from './vocabulary.ts';

/** Bounds that the conventions advise. https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ */
const secondBounds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const tokenBounds = [
  1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];
const common = [genAi.operation, genAi.provider, genAi.requestModel, genAi.responseModel];

/** Handles of one label set, so that a request looks them up once. */
interface Handles {
  readonly duration: Distribution;
  readonly inputTokens: Distribution;
  readonly outputTokens: Distribution;
  readonly firstToken: Distribution;
  readonly perToken: Distribution;
}

/** The metrics of the semantic conventions; they travel to collectors only, beside the others. */
export class GenAiMetrics implements MetricSource, RecordSink {
  readonly #duration = seconds('gen_ai.client.operation.duration', 'Duration of an operation.', [
    ...common,
    general.errorType,
  ]);
  readonly #tokens = new Histogram(
    'gen_ai.client.token.usage',
    'Tokens used.',
    [...common, genAi.tokenType],
    tokenBounds,
  );
  readonly #firstToken = seconds('gen_ai.server.time_to_first_token', 'Time to the first token of a stream.', common);
  readonly #perToken = seconds('gen_ai.server.time_per_output_token', 'Time for each token after the first.', common);

  readonly #handles = new WeakMap<RecordKind, Handles>();

  readonly #conventionName: ConventionName;

  constructor(conventionName: ConventionName) {
    this.#conventionName = conventionName;
    this.#tokens.unit = '{token}';
  }

  record(record: RequestRecord): void {
    const { usage, startedAt, endedAt, firstTokenAt } = record;
    const kind = kindOf(record);
    const handles = this.#handles.get(kind) ?? this.#handlesOf(kind);
    this.#duration.observe(handles.duration, (endedAt - startedAt) / 1_000);
    if (record.status !== 'success') return;
    const outputTokens = totalOutputTokens(usage);
    this.#tokens.observe(handles.inputTokens, totalInputTokens(usage));
    this.#tokens.observe(handles.outputTokens, outputTokens);
    if (!record.stream || firstTokenAt === null) return;
    this.#firstToken.observe(handles.firstToken, Math.max(0, firstTokenAt - startedAt) / 1_000);
    if (outputTokens < 2) return;
    this.#perToken.observe(handles.perToken, Math.max(0, endedAt - firstTokenAt) / 1_000 / (outputTokens - 1));
  }

  #handlesOf(kind: RecordKind): Handles {
    const asked = kind.modelGroup === null ? '' : (kind.modelAsked ?? '');
    const labels = [
      operationName(kind),
      kind.provider === null ? '' : this.#conventionName(kind.provider),
      asked,
      kind.modelUsed ?? '',
    ];
    const handles = {
      duration: this.#duration.series([...labels, kind.errorCode ?? '']),
      inputTokens: this.#tokens.series([...labels, 'input']),
      outputTokens: this.#tokens.series([...labels, 'output']),
      firstToken: this.#firstToken.series(labels),
      perToken: this.#perToken.series(labels),
    };
    this.#handles.set(kind, handles);
    return handles;
  }

  families(): Family<unknown>[] {
    return [this.#duration, this.#tokens, this.#firstToken, this.#perToken];
  }
}

function seconds(name: string, help: string, labels: readonly string[]): Histogram {
  const histogram = new Histogram(name, help, labels, secondBounds);
  histogram.unit = 's';
  return histogram;
}

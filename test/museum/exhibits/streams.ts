import type { Exhibit } from '../exhibit.ts';

const chatRelay = 'src/dialects/openai-chat/relay.ts';
const relayTest = ['src/dialects/openai-chat/relay.test.ts'];
const streamed = 'src/gateway/streams/streamed-answer.ts';
const journeys = ['test/journeys/streams.test.ts'];

/** Streams, connections, clients that leave. */
export const streamExhibits: readonly Exhibit[] = [
  {
    name: 'a character cut by the network is decoded in halves',
    seen: 'claude-code-router#1672, api7/aisix#111',
    file: 'src/core/server-sent-events.ts',
    changes: [
      {
        find: 'const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);',
        replace: 'const bytes = Buffer.from(new TextDecoder().decode(chunk));',
      },
    ],
    tests: ['src/dialects/openai-chat/contract.test.ts'],
  },
  {
    name: 'a stream that ends in the middle is a success',
    seen: '#40260, #10053',
    file: chatRelay,
    changes: [
      {
        find: 'if (this.#finished.size === 0 || this.#finished.size < this.#begun.size) return',
        replace: 'if (!this) return',
      },
    ],
    tests: relayTest,
  },
  {
    name: 'an error inside a stream is swallowed',
    seen: '#40578, #39748',
    file: chatRelay,
    changes: [
      {
        find: 'if (isError(chunk)) return this.fail(factsOf(chunk), statusOf(chunk));',
        replace: 'if (isError(chunk)) return dropEvent;',
      },
    ],
    tests: relayTest,
  },
  {
    name: 'comments keep a stalled stream alive for ever',
    seen: 'opencode#43519, goose#11816',
    file: streamed,
    changes: [{ find: 'if (progress.events !== this.#events) {', replace: 'if (progress.events >= 0) {' }],
    tests: journeys,
    only: 'comments keep it busy',
  },
  {
    name: 'usage that nobody asked for reaches the caller',
    seen: 'market practice: include_usage forced on every stream',
    file: chatRelay,
    changes: [
      {
        find: 'chunk.usage !== undefined && !this.#options.usageInStream',
        replace: 'chunk.usage !== undefined && this.#options.requestId === null',
      },
    ],
    tests: relayTest,
  },
  {
    name: 'a slow reader fills the memory',
    seen: 'commandcode-proxy#20, taskplane#664',
    file: streamed,
    changes: [{ find: 'if (!this.#sink.write(chunk)) this.attempt.pause();', replace: 'this.#sink.write(chunk);' }],
    tests: journeys,
    only: 'reads slowly',
  },
  {
    name: 'the provider goes on working when the client has left',
    seen: '#17364',
    file: 'src/gateway/call/attempt.ts',
    changes: [
      {
        find: '    this.#upstream?.cancel();\n    this.#decompressor?.destroy();',
        replace: '    this.#decompressor?.destroy();',
      },
    ],
    tests: journeys,
    only: 'inside the stream',
  },
  {
    name: 'a stream that was complete is booked as a client that left',
    seen: '#30527',
    file: 'src/gateway/streams/streamed-answer.ts',
    changes: [
      {
        find: "this.#finish({ kind: 'success', error: null });",
        replace: "this.#finish({ kind: 'aborted', error: null });",
      },
    ],
    tests: journeys,
    only: 'passes as it comes',
  },
  {
    name: 'a stream that broke after its first content is asked for again',
    seen: 'market practice: retries around whole streams',
    file: streamed,
    changes: [{ find: '(progress.contentStarted || complete ||', replace: '(complete ||' }],
    tests: journeys,
    only: 'after its first content',
  },
  {
    name: 'a decompressed answer keeps the header of the compressed one, or is passed on as noise',
    seen: '#25624',
    file: 'src/gateway/call/attempt.ts',
    changes: [{ find: "encoding !== '' && encoding !== 'identity'", replace: "encoding === 'identity'" }],
    tests: journeys,
    only: 'is decompressed',
  },
];

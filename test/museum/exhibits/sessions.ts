import type { Exhibit } from '../exhibit.ts';

const transcripts = ['test/journeys/realtime-transcripts.test.ts'];

/** Realtime sessions and batches: what a provider does beside a request. */
export const sessionExhibits: readonly Exhibit[] = [
  {
    name: 'what is said in a realtime session is transcribed for nothing',
    seen: 'our own sessions, until they were compared with an invoice; Laisky/one-api#402',
    file: 'src/gateway/session/listening.ts',
    changes: [{ find: '    ear.transcribed(said, usage);\n', replace: '    ear.released(said);\n' }],
    tests: transcripts,
    only: 'costs its transcript',
  },
  {
    name: 'a transcript told in seconds costs nothing where its price is by the second under another name',
    seen: 'ENTERPILOT/GoModel#750: seconds were kept under a name that the price did not read',
    file: 'src/gateway/session/transcript-usage.ts',
    changes: [
      {
        find: 'const bySecond = (price?.units?.audioMs ?? 0) > 0;',
        replace: 'const bySecond = (price?.units?.outputMs ?? 0) > 0;',
      },
    ],
    tests: ['src/gateway/session/transcript-usage.test.ts'],
  },
  {
    name: 'sound that was committed is free when the client hangs up before its transcript',
    seen: '#38563',
    file: 'src/gateway/session/listening.ts',
    changes: [{ find: 'ear.abandoned(said);', replace: 'ear.released(said);' }],
    tests: transcripts,
    only: 'whose client leaves',
  },
  {
    name: 'what a provider says with its handshake stops the gateway',
    seen: 'found here by a session whose provider transcribes by itself',
    file: 'src/gateway/session/session.ts',
    changes: [
      { find: '    if (this.#place === null) {\n      this.#early.push(text);\n      return;\n    }\n', replace: '' },
      {
        find: '    } catch (cause) {\n      this.#broke(cause);\n    }\n  }\n\n  #heard',
        replace: '    } finally {\n      // Nobody.\n    }\n  }\n\n  #heard',
      },
    ],
    tests: transcripts,
    only: 'transcribes by itself',
  },
  {
    name: 'usage of a Live answer that is told twice is charged twice',
    seen: 'sierra-research/tau2-bench#454, review',
    file: 'src/dialects/gemini-live/session.ts',
    changes: [{ find: 'told.prompt !== this.#told.prompt', replace: 'told !== this.#told' }],
    tests: ['src/dialects/gemini-live/session.test.ts'],
  },
  {
    name: 'an answer of a batch that is told twice hides one that is missing',
    seen: 'found here by reading the results of every batch API again',
    file: 'src/gateway/batches/take-results.ts',
    changes: [
      {
        find: '  const { missing, failed, reason } = countsOf(state, left.length, good.size, bad.size);',
        replace: '  const { missing, failed, reason } = countsOf(state, left.length, good.size + 1, bad.size);',
      },
    ],
    tests: ['src/gateway/batches/take-results.test.ts'],
  },
  {
    name: 'a batch whose answers are gone at its provider is asked for without end',
    seen: 'found here: its money was held for ever',
    file: 'src/gateway/batches/take-results.ts',
    changes: [{ find: 'goneTries >= goneTriesMax', replace: 'goneTries >= Number.MAX_SAFE_INTEGER' }],
    tests: ['src/gateway/batches/take-results.test.ts'],
  },
];

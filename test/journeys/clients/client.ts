/** What a client made of one answer, in no format's words. */
export interface Heard {
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[];
  readonly finish: string | undefined;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
}

/** One question, and the results of the tools that were called in answer to it, kept as the client keeps a conversation. */
export interface Conversation {
  ask(isStream: boolean): Promise<Heard>;
  answer(results: readonly string[], isStream: boolean): Promise<Heard>;
}

/** A client that somebody else wrote, used as its documentation says, but for the address. */
export interface Client {
  readonly name: string;
  /** Its word for an answer that is complete, and for one that waits for tools. */
  readonly finishes: { readonly said: string; readonly called: string };
  /** False where it looks for usage in a stream at a place that its own service alone has. */
  readonly readsUsageInStreams?: false;
  open(url: string, key: string): (model: string, hasTools: boolean) => Conversation;
  /** Status and words of an error that the client took for one of its service's own; else undefined. */
  failure(error: unknown): { readonly status: number | undefined; readonly message: string } | undefined;
}

export const question = 'Weather in Zürich and Tokyo?';

export const weather = {
  name: 'get_weather',
  description: 'Weather of a city',
  schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] },
};

/** A conversation whose turns are sent by `send`, which keeps the history: `reply` adds the results to it. */
export function conversation(
  send: (isStream: boolean) => Promise<Heard>,
  reply: (results: readonly string[]) => void,
): Conversation {
  return {
    ask: send,
    answer: (results, isStream) => {
      reply(results);
      return send(isStream);
    },
  };
}

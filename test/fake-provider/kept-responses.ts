import { isRecord } from './json.ts';
import type { RecordedRequest } from './record.ts';
import type { ScriptedError } from './script.ts';

/** Answers of `/responses` that are asked for later. Source: https://platform.openai.com/docs/api-reference/responses */
export class KeptResponses {
  readonly #kept = new Map<string, { request: Record<string, unknown>; answer: unknown }>();

  keep(request: Record<string, unknown>, answer: unknown): void {
    if (request.store === false || !isRecord(answer)) return;
    this.#kept.set(String(answer.id), { request, answer });
  }

  /** What is wrong with a request that goes on from an earlier answer. */
  refusal(body: unknown): ScriptedError | undefined {
    const id = isRecord(body) ? body.previous_response_id : undefined;
    if (typeof id !== 'string' || this.#kept.has(id)) return undefined;
    return {
      message: `Previous response with id '${id}' not found.`,
      param: 'previous_response_id',
      code: 'previous_response_not_found',
    };
  }

  /** undefined when this is no question about a kept answer. */
  answer({ method, path }: RecordedRequest): { status: number; body: unknown } | undefined {
    const match = /\/responses\/([^/]+)(\/cancel|\/input_items)?$/.exec(path);
    if (match === null || match[1] === 'compact') return undefined;
    const id = decodeURIComponent(match[1]!);
    const kept = this.#kept.get(id);
    if (kept === undefined) {
      const message = `Response with id '${id}' not found.`;
      return { status: 404, body: { error: { message, type: 'invalid_request_error', param: null, code: null } } };
    }
    if (match[2] === '/input_items') {
      const { input } = kept.request;
      const items = Array.isArray(input) ? input : [{ type: 'message', role: 'user', content: input }];
      const data = items.map((item, index) => ({ id: `msg_in${index}`, ...(item as object) }));
      return { status: 200, body: { object: 'list', data, has_more: false } };
    }
    if (method === 'DELETE') {
      this.#kept.delete(id);
      return { status: 200, body: { id, object: 'response', deleted: true } };
    }
    return { status: 200, body: kept.answer };
  }
}

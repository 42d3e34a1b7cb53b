import type { ServerResponse } from 'node:http';
import type { Invoice } from './invoice.ts';
import { parseJson } from './json.ts';
import type { Playbook } from './playbook.ts';
import type { RecordedRequest } from './record.ts';
import type { Script } from './script.ts';

interface ControlRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly response: ServerResponse;
  readonly playbook: Playbook;
  readonly invoice: Invoice;
  readonly requests: RecordedRequest[];
}

/** The same controls over HTTP, for a fake that runs as a process of its own. All under `/_fake/`. */
export function answerControl(request: ControlRequest): void {
  const found = outcomeOf(request, parseJson(request.body.toString()));
  const value = found ?? { error: `no control ${request.method} ${request.path}` };
  request.response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
  request.response.end(JSON.stringify(value));
}

/** What to answer, or undefined where there is no such control. */
function outcomeOf({ method, path, query, playbook, invoice, requests }: ControlRequest, sent: unknown): unknown {
  switch (`${method} ${path}`) {
    case 'POST /_fake/enqueue':
      playbook.enqueue(sent as Script[]);
      return {};
    case 'PUT /_fake/default':
      playbook.setDefault(sent as Script);
      return {};
    case 'POST /_fake/reset':
      playbook.clear();
      requests.length = 0;
      return {};
    case 'GET /_fake/invoice':
      return invoice.entries.slice(Number(query.get('from') ?? 0));
    case 'GET /_fake/requests':
      return requests.map(({ body, ended: _ended, query: _query, ...rest }) => ({ ...rest, body: body.toString() }));
    default:
      return undefined;
  }
}

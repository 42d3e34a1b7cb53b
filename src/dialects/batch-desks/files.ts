import {
  type AskDesk,
  type BatchAnswer,
  type BatchOrder,
  type BatchState,
  customIdOf,
  indexOf,
} from '../../core/batch-desk.ts';
import { GatewayError } from '../../core/errors.ts';
import { isJsonObject } from '../../core/json.ts';
import { objectIn, objectsIn } from './lines.ts';

/* Batches whose requests and answers travel as files of JSON lines. */

const boundary = 'tollgate-batch-3f1c0d7e5a9b4c62';

/** Uploads the requests; resolves to the file's id. */
export async function uploadRequests(ask: AskDesk, { path, bodies }: BatchOrder, withMethod: boolean): Promise<string> {
  const head = (index: number) => {
    const address = withMethod ? `,"method":"POST","url":${JSON.stringify(path)}` : '';
    return Buffer.from(`${index === 0 ? '' : '\n'}{"custom_id":"${customIdOf(index)}"${address},"body":`);
  };
  const lines = bodies.flatMap((body, index) => [head(index), body, closing]);
  const form = [
    `--${boundary}\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n`,
    `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="requests.jsonl"\r\n`,
    'content-type: application/jsonl\r\n\r\n',
  ];
  const body = Buffer.concat([Buffer.from(form.join('')), ...lines, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  const contentType = `multipart/form-data; boundary=${boundary}`;
  return idIn(await ask({ method: 'POST', tail: '/files', body, contentType, isUpload: true }));
}

const closing = Buffer.from('}');

export function idIn(bytes: Buffer): string {
  const { id } = objectIn(bytes);
  if (typeof id === 'string' && id !== '') return id;
  throw new GatewayError('upstream_connection', 'the answer names no id');
}

/** Answers and failures as they stand in files: `response` with its status and body, or an `error` in its place. */
export async function* answersInFiles(ask: AskDesk, { resultsAt }: BatchState): AsyncGenerator<BatchAnswer> {
  for (const file of resultsAt) {
    const bytes = await ask({ method: 'GET', tail: `/files/${encodeURIComponent(file)}/content` });
    for (const line of objectsIn(bytes)) {
      const index = indexOf(line.custom_id);
      if (index === undefined) continue;
      const { response, error } = line;
      if (isJsonObject(response) && isJsonObject(response.body)) {
        const status = typeof response.status_code === 'number' ? response.status_code : 200;
        yield { index, status, body: response.body };
      } else if (isJsonObject(error) && !notSent.has(String(error.code))) {
        yield { index, status: 500, body: { error } };
      }
    }
  }
}

/** Codes of requests whose turn never came. */
const notSent: ReadonlySet<string> = new Set(['batch_expired', 'batch_cancelled']);

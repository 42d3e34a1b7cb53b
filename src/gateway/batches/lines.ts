import { GatewayError } from '../../core/errors.ts';
import { isJsonObject, type JsonObject } from '../../core/json.ts';
import { type MatchedRoute, matchRoute } from '../operations.ts';

const linesMax = 50_000;
const customIdLengthMax = 512;

/** One request of a batch. */
export interface BatchLine {
  readonly customId: string;
  readonly body: JsonObject;
}

/** What a batch asks for: one path, many bodies. */
export interface BatchWork {
  readonly matched: MatchedRoute;
  readonly path: string;
  readonly lines: readonly BatchLine[];
  /** The caller's parameter that they stand in. */
  readonly param: string;
}

/** A path whose requests may stand in a batch: one JSON body in, one out. */
export function batchRoute(endpoint: unknown): { readonly matched: MatchedRoute; readonly path: string } {
  if (typeof endpoint !== 'string' || endpoint === '')
    throw malformed('endpoint', 'required, such as /v1/chat/completions');
  const matched = matchRoute(endpoint);
  const isWhole =
    matched !== undefined &&
    matched.route.form === undefined &&
    matched.route.operation !== 'speech' &&
    matched.route.counting === undefined;
  if (!isWhole) throw malformed('endpoint', `${JSON.stringify(endpoint.slice(0, 80))} cannot be asked in a batch`);
  return { matched, path: endpoint };
}

/** What a kept file of requests asks for. */
export function workIn(text: string, endpoint: string): BatchWork {
  const { matched, path } = batchRoute(endpoint);
  return { matched, path, lines: readLines(text, path), param: 'input_file_id' };
}

/** Reads a file of requests, one JSON object a line. Throws GatewayError that names the line. */
export function readLines(text: string, endpoint: string): BatchLine[] {
  const lines: BatchLine[] = [];
  const ids = new Set<string>();
  let number = 0;
  for (const line of text.split('\n')) {
    number += 1;
    if (line.trim() === '') continue;
    if (lines.length === linesMax) throw malformed('input_file_id', `the file has more than ${linesMax} requests`);
    lines.push(readLine(line, number, endpoint, ids));
  }
  if (lines.length === 0) throw malformed('input_file_id', 'the file holds no request');
  return lines;
}

function readLine(text: string, number: number, endpoint: string, ids: Set<string>): BatchLine {
  const wrong = (problem: string) => malformed('input_file_id', `line ${number}: ${problem}`);
  let line: unknown;
  try {
    line = JSON.parse(text);
  } catch {
    throw wrong('not valid JSON');
  }
  if (!isJsonObject(line)) throw wrong('expected a JSON object');
  const { custom_id: customId, method, url, body } = line;
  if (typeof customId !== 'string' || customId === '' || customId.length > customIdLengthMax) {
    throw wrong(`custom_id: expected a text of 1 to ${customIdLengthMax} characters`);
  }
  if (ids.has(customId)) throw wrong(`custom_id: ${JSON.stringify(customId.slice(0, 80))} stands in an earlier line`);
  ids.add(customId);
  if (method !== undefined && method !== 'POST') throw wrong('method: expected "POST"');
  if (url !== undefined && url !== endpoint)
    throw wrong(`url: expected the batch's endpoint, ${JSON.stringify(endpoint)}`);
  if (!isJsonObject(body)) throw wrong('body: expected an object');
  if (body.stream === true) throw wrong('body.stream: a batch has no streams');
  return { customId, body };
}

export function malformed(param: string, problem: string): GatewayError {
  return new GatewayError('malformed_request', `${param}: ${problem}`, { param });
}

import { randomBytes } from 'node:crypto';
import type { Moment, Script } from './script.ts';

/** Ready-made misbehaviour, named for what operators see in the field. */

export function rateLimited(retryAfterSeconds?: number): Script {
  return {
    status: 429,
    headers: retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
    error: { message: 'Rate limit reached for requests', type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  };
}

export function serverError(status = 500): Script {
  return { status, error: { message: 'The server had an error while processing your request', type: 'server_error' } };
}

/** What a load balancer in front of a provider says when nothing is behind it. */
export function htmlErrorPage(status = 502): Script {
  return {
    status,
    contentType: 'text/html',
    body: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>\r\n',
  };
}

export function garbageJson(): Script {
  return { contentType: 'application/json', body: '{"id":"chatcmpl-1","choices":[{"message":{"content":"tru' };
}

export function emptyBody(status = 200): Script {
  return { status, contentType: 'application/json', body: '' };
}

export function binaryGarbage(bytes = 64): Script {
  return { contentType: 'application/json', body: randomBytes(bytes) };
}

export function contextWindowExceeded(): Script {
  return {
    status: 400,
    error: {
      message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      param: 'messages',
    },
  };
}

export function contentPolicyViolation(): Script {
  return {
    status: 400,
    error: {
      message: 'The response was filtered due to the prompt triggering the content management policy.',
      type: 'invalid_request_error',
      code: 'content_filter',
    },
  };
}

/** Takes the request and never says a word. */
export function hang(): Script {
  return { stall: { at: 'before-headers' } };
}

export function resetAt(moment: Moment): Script {
  return { reset: moment };
}

export function finishAt(moment: Moment): Script {
  return { fin: moment };
}

/** Stops producing at an event; with heartbeats, comments keep the connection busy for ever. */
export function stallAt(event: number, heartbeatEveryMs?: number): Script {
  return { stall: { at: { event }, ...(heartbeatEveryMs === undefined ? {} : { heartbeatEveryMs }) } };
}

export function oneByteWrites(): Script {
  return { cuts: 1 };
}

/** One tool call with arguments of this many bytes, which is more than a careless buffer holds. */
export function hugeToolArguments(bytes = 8 * 1024 * 1024): Script {
  return {
    toolCalls: [{ name: 'write_file', arguments: { path: 'a.txt', text: 'x'.repeat(bytes) } }],
    charactersPerPiece: 16_384,
    ignoreMaxTokens: true,
  };
}

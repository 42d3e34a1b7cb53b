import { expect } from 'vitest';

/** The two formats that callers speak, each with a request that is good. */
export const dialects = {
  openai: {
    path: '/v1/chat/completions',
    body: (changes: object) => ({ model: 'plain', messages: [{ role: 'user', content: 'Hello' }], ...changes }),
  },
  anthropic: {
    path: '/v1/messages',
    body: (changes: object) => ({
      model: 'plain',
      max_tokens: 50,
      messages: [{ role: 'user', content: 'Hello' }],
      ...changes,
    }),
  },
} as const;
export type DialectName = keyof typeof dialects;
export const both = Object.keys(dialects) as DialectName[];

const anthropicTypes: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  415: 'invalid_request_error',
  429: 'rate_limit_error',
  500: 'api_error',
};

export interface ExpectedError {
  readonly status: number;
  readonly message: RegExp;
  /** OpenAI's `type`; not looked at when left out. */
  readonly type?: string;
  readonly param?: string | null;
}

/** The answer is this error, in the shape of the caller's format. */
export function expectError(
  name: DialectName,
  got: { status: number; body: unknown; text: string },
  expected: ExpectedError,
): void {
  expect(got.text).toMatch(expected.message);
  expect(got.status).toBe(expected.status);
  if (name === 'openai') {
    expect(got.body).toEqual({
      error: expect.objectContaining({
        message: expect.stringMatching(expected.message),
        type: expected.type ?? expect.any(String),
        param:
          expected.param === undefined
            ? expect.toSatisfy((param) => param === null || typeof param === 'string')
            : expected.param,
        code: String(expected.status),
      }),
    });
    return;
  }
  expect(got.body).toMatchObject({
    type: 'error',
    error: { type: anthropicTypes[expected.status], message: expect.stringMatching(expected.message) },
  });
}

import type { ModelTraits } from '../core/dialect.ts';

/** Is it of this generation or a later one? Names are `claude-FAMILY-MAJOR-MINOR-DATE`, older ones `claude-MAJOR-…`. */
function isAtLeast(model: string, major: number, minor: number): boolean {
  const version = /claude-[a-z]+-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)/.exec(model);
  if (version === null) return false;
  const given = [Number(version[1]), Number(version[2] ?? 0)] as const;
  return given[0] > major || (given[0] === major && given[1] >= minor);
}

/** What a model of this family can, wherever it is served. */
export function claudeTraits(model: string): Partial<ModelTraits> {
  return {
    supportsJsonSchema: isAtLeast(model, 4, 5),
    adaptiveThinking: isAtLeast(model, 4, 6),
    // Newer models refuse a request that ends with the assistant's words.
    ...(!isAtLeast(model, 4, 6) && { continuation: { lastMessage: {}, body: {} } }),
  };
}

/** What is in force where the configuration says nothing. */
export const gatewayDefaults = {
  connectMs: 5_000,
  idleMs: 300_000,
  attemptMs: 600_000,
  totalMsMin: 600_000,
  heartbeatMs: 15_000,
  drainMs: 30_000,
  bodyMebibytesMax: 32,
  answerMebibytesMax: 64,
  mediaMebibytesMax: 20,
  mediaMs: 10_000,
  cacheTtlMs: 600_000,
  cacheBytesMax: 100 * 1024 * 1024,
  idempotencyTtlMs: 86_400_000,
  answersKeptMs: 30 * 86_400_000,
  idempotencyAnswerKibibytesMax: 1_024,
} as const;

/** The two families' model lists, told apart by the header that only Anthropic's clients send. */
export function modelList(models: readonly string[], isAnthropic: boolean): Record<string, unknown> {
  if (isAnthropic) {
    return {
      data: models.map((id) => ({ type: 'model', id, display_name: id, created_at: '2026-01-01T00:00:00Z' })),
      has_more: false,
      first_id: models[0] ?? null,
      last_id: models.at(-1) ?? null,
    };
  }
  return {
    object: 'list',
    data: models.map((id) => ({ id, object: 'model', created: 1_767_225_600, owned_by: 'fake' })),
  };
}

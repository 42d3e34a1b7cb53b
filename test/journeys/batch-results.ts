import type OpenAI from 'openai';

/** The batch once it has ended, however it did. */
export async function ended(openai: OpenAI, id: string, limitMs: number) {
  for (let waited = 0; waited < limitMs; waited += 50) {
    const batch = await openai.batches.retrieve(id);
    if (!['in_progress', 'finalizing', 'cancelling'].includes(batch.status)) return batch;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the batch did not end');
}

/** The lines of a batch's output or error file. */
export async function results(openai: OpenAI, fileId: string | null | undefined) {
  const text = await (await openai.files.content(fileId!)).text();
  return text
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one));
}

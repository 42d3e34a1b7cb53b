import type { RequestRecord } from '../../core/request-record.ts';
import type { Store, UsageFilter } from '../../core/store.ts';

const pageRows = 500;

/** All requests that a filter lets through, oldest first, a page at a time. */
export async function* recordPages(
  { usage }: Pick<Store, 'usage'>,
  filter: UsageFilter,
): AsyncGenerator<readonly RequestRecord[]> {
  let after: { startedAt: number; id: string } | undefined;
  for (;;) {
    const page = await usage.list(filter, {
      offset: 0,
      limit: pageRows,
      descending: false,
      ...(after === undefined ? {} : { after }),
    });
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (page.length < pageRows || last === undefined) return;
    after = { startedAt: last.startedAt, id: last.id };
  }
}

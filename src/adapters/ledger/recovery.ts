import type { AccountSpec, BookEntry, Books, JournalCheckpoint } from '../../core/books.ts';
import { shareOf } from '../../core/books.ts';
import type { Nanodollars } from '../../core/money.ts';
import type { DispatchNote, Log } from '../../core/ports.ts';
import type { RequestRecord } from '../../core/request-record.ts';
import { noUsage } from '../../core/usage.ts';
import type { JournalFolder } from '../journal-folder.ts';
import { journalLines } from '../journal-reader.ts';
import { parseLine } from './journal-line.ts';

/** What a request costs that was sent and whose end nobody saw: its whole bound, or nothing. */
export type UnknownCharge = 'bound' | 'nothing';

export interface RecoveryReport {
  /** Processes that are dead for certain. */
  readonly ended: readonly string[];
  readonly journals: number;
  readonly records: number;
  /** Requests of which only the dispatch is known. */
  readonly unknown: number;
  readonly unknownCost: Nanodollars;
  /** Journals whose end may be lost, because the machine went down: the rest of their leases is charged. */
  readonly incomplete: number;
  /** Lines that could not be read, the cut-off ones at the end not counted. */
  readonly unreadable: number;
}

interface OpenDispatch {
  readonly note: DispatchNote;
  readonly bound: Nanodollars;
  readonly accounts: readonly AccountSpec[];
}

const batchMax = 500;

/**
 * Replays every journal whose process is dead: its records go to the store, what was sent and never settled is charged
 * by policy, and its leases come back. Every step may be repeated: a journal is removed only when all of it is done.
 */
export async function recover(
  folder: JournalFolder,
  books: Books,
  now: () => number,
  log: Log,
  charge: UnknownCharge = 'bound',
): Promise<RecoveryReport> {
  const ended: string[] = [];
  const report = { journals: 0, records: 0, unknown: 0, unknownCost: 0, incomplete: 0, unreadable: 0 };
  for (const owner of folder.owners()) {
    if (!folder.claim(owner)) continue;
    try {
      await replay(owner);
    } catch (cause) {
      folder.release(owner);
      throw cause;
    }
    folder.remove(owner);
    ended.push(owner);
    report.journals += 1;
  }
  if (report.journals > 0) log.info('Replayed the journals of runs that did not end in good order.', { ...report });
  return { ended, ...report };

  async function replay(owner: string): Promise<void> {
    const checkpoint = await books.checkpoint(owner);
    const open = new Map<string, OpenDispatch>();
    let batch: BookEntry[] = [];
    let end: JournalCheckpoint = checkpoint ?? { segment: 0, offset: 0 };
    const apply = async (): Promise<void> => {
      if (batch.length > 0) await books.apply({ processId: owner, entries: batch, checkpoint: end });
      report.records += batch.length;
      batch = [];
    };
    for (const line of journalLines(folder, owner, { segment: 0, offset: 0 })) {
      const parsed = parseLine(line.text);
      if (parsed === null) {
        report.unreadable += 1;
        log.error('A line of a journal cannot be read and was left out.', { journal: owner, ...line.end });
      } else if (parsed.kind === 'dispatched') {
        open.set(parsed.note.id, parsed);
      } else {
        open.delete(parsed.record.id);
        if (isBefore(line.end, checkpoint)) continue;
        batch.push(entryOf(parsed.record, parsed.accounts));
        end = line.end;
        if (batch.length >= batchMax) await apply();
      }
    }
    await apply();
    for (const dispatch of open.values()) {
      const record = unknownRecord(dispatch, now(), charge);
      batch.push(entryOf(record, dispatch.accounts));
      report.unknown += 1;
      report.unknownCost += record.cost;
      if (batch.length >= batchMax) await apply();
    }
    await apply();
    if (folder.isWhole(owner)) await books.releaseProcess(owner);
    else {
      report.incomplete += 1;
      await writeOff(owner);
    }
  }

  /** What the lost end of the journal sent, nobody knows: it was covered by the leases, and all that is left of them is charged. */
  async function writeOff(owner: string): Promise<void> {
    const left = (await books.leases(owner)).filter(({ amount, writtenOff }) => amount > 0 && !writtenOff);
    const amount = left.reduce((sum, lease) => sum + lease.amount, 0);
    const at = now();
    await books.renewLeases(owner, at - 1, at);
    await books.expireLeases(at);
    log.error(
      'The machine went down while requests were under way. The end of the journal may be lost, so what was set aside for them is charged. An adjustment gives it back.',
      { journal: owner, charged: amount, accounts: left.map(({ key }) => key) },
    );
  }
}

function isBefore(end: JournalCheckpoint, checkpoint: JournalCheckpoint | null): boolean {
  if (checkpoint === null) return false;
  return end.segment < checkpoint.segment || (end.segment === checkpoint.segment && end.offset <= checkpoint.offset);
}

function entryOf(record: RequestRecord, accounts: readonly AccountSpec[]): BookEntry {
  return {
    record,
    accounts: accounts.map((account) => {
      const delta = shareOf(account, record);
      return { ...account, delta, leaseReturn: account.cap === null ? 0 : delta };
    }),
  };
}

function unknownRecord({ note, bound }: OpenDispatch, endedAt: number, charge: UnknownCharge): RequestRecord {
  const bought = charge === 'bound' && note.attempts?.length ? note.attempts : undefined;
  const cost = bought?.reduce((sum, attempt) => sum + attempt.charged, 0) ?? (charge === 'bound' ? bound : 0);
  return {
    ...note,
    status: 'unknown',
    httpStatus: 0,
    errorCode: 'outcome_unknown',
    errorMessage: 'The gateway ended before it saw the end of this request.',
    sessionId: null,
    traceId: null,
    clientAddress: null,
    apiBase: null,
    cacheHit: false,
    cacheKey: null,
    usage: { ...noUsage, estimated: true },
    cost,
    bound,
    priceSource: null,
    firstTokenAt: null,
    endedAt,
    overheadMs: 0,
    attempts:
      bought ??
      (note.deploymentId === null
        ? []
        : [
            {
              deploymentId: note.deploymentId,
              group: note.modelGroup ?? '',
              provider: note.provider ?? '',
              model: note.modelUsed ?? '',
              startedAt: note.startedAt,
              durationMs: 0,
              status: null,
              result: 'outcome_unknown',
              ambiguous: true,
              charged: cost,
            },
          ]),
    finishReason: null,
    metadata: {},
    requestText: null,
    responseText: null,
  };
}

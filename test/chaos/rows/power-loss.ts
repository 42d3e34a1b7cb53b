import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DiskJournalFolder } from '../../../src/adapters/journal-folder.ts';
import { openLedger } from '../../../src/adapters/ledger/ledger.ts';
import { openSqliteStore } from '../../../src/adapters/sql/sqlite.ts';
import { systemChance, systemClock } from '../../../src/adapters/system-clock.ts';
import type { InvoiceEntry } from '../../fake-provider/invoice.ts';
import { type GatewayProcess, startGateway } from '../../journeys/support/gateway-process.ts';
import { exactConfig } from '../exact-config.ts';
import { billed, price } from '../price.ts';
import type { Rig } from '../rig.ts';
import { pause, type Row, seeded, sum } from '../row.ts';

const clients = 6;
const cutsFull = Number(process.env.CHAOS_CUTS ?? 1_000);
const cutsEach = 50;
const cap = 1e12;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** What is on the disk at the moment of the cut, and what the provider had been asked until then. */
interface Image {
  readonly folder: string;
  readonly invoice: readonly InvoiceEntry[];
}

/**
 * Stops the gateway for a moment and copies its files as a power cut would leave them: SQLite's writes are on the disk as far as
 * they were synced; of everything else any part of the end may be missing.
 */
async function cut(
  gateway: GatewayProcess,
  rig: Rig,
  to: string,
  random: () => number,
  isWalCut: boolean,
  before: number,
): Promise<Image> {
  const data = join(gateway.folder, 'data');
  gateway.child.kill('SIGSTOP');
  try {
    mkdirSync(to);
    for (const name of readdirSync(data)) {
      if (/^tollgate\.db(-wal)?$/.test(name)) copyFileSync(join(data, name), join(to, name));
    }
    cpSync(join(data, 'journal'), join(to, 'journal'), { recursive: true });
  } finally {
    // The provider hears of everything that was sent before the stop; what it hears of later was not on its way yet.
    gateway.child.kill('SIGCONT');
  }
  const invoice = await rig.upstream.invoice(before);
  const wal = join(to, 'tollgate.db-wal');
  if (isWalCut && existsSync(wal)) truncateSync(wal, Math.floor(random() * statSync(wal).size));
  for (const owner of readdirSync(join(to, 'journal'), { withFileTypes: true })) {
    if (!owner.isDirectory()) continue;
    for (const segment of readdirSync(join(to, 'journal', owner.name))) {
      const file = join(to, 'journal', owner.name, segment);
      if (segment.endsWith('.jsonl')) truncateSync(file, Math.floor(random() * (statSync(file).size + 1)));
    }
  }
  return { folder: to, invoice };
}

interface Books {
  readonly integrity: string;
  readonly spent: number;
  readonly rows: number;
}

/** What a gateway makes of the image once the machine is up again. */
async function restart(folder: string): Promise<Books> {
  const file = join(folder, 'tollgate.db');
  const clock = systemClock();
  const store = await openSqliteStore({ file });
  const journal = new DiskJournalFolder(join(folder, 'journal'), 'the machine was started again');
  const ledger = await openLedger({
    books: store.books,
    folder: journal,
    clock,
    chance: systemChance,
    log: silent,
    alone: true,
  });
  await ledger.close();
  // Whatever is still out belongs to nobody who could give it back.
  await store.books.expireLeases(clock.now() + 3_600_000);
  await store.close();
  const database = new DatabaseSync(file);
  const one = (text: string) => Object.values(database.prepare(text).get() as Record<string, unknown>)[0];
  const books = {
    integrity: String(one('pragma integrity_check')),
    spent: Number(one(`select coalesce(sum(spent), 0) from accounts where scope = 'key' and cap is not null`)),
    rows: Number(one('select count(*) from usage')),
  };
  database.close();
  return books;
}

/** Requests to a gateway until it ends. */
async function load(
  gateway: GatewayProcess,
  key: string,
  random: () => number,
  isOver: () => boolean,
): Promise<number> {
  let requests = 0;
  const client = async () => {
    while (!isOver()) {
      const body = {
        model: price.exactModel,
        max_tokens: 1 + Math.floor(random() * 40),
        messages: [{ role: 'user', content: 'Go on.' }],
      };
      const answer = await gateway.post('/v1/chat/completions', body, key).catch(() => null);
      await answer?.text().catch(() => '');
      requests += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return requests;
}

interface Found {
  requests: number;
  corrupt: number;
  lost: number;
  unseen: number;
  readonly broken: string[];
}

/** One gateway from its first start on, and cuts number `first` to `last` under load. */
async function cutOften(rig: Rig, found: Found, random: () => number, first: number, last: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tollgate-power-'));
  const gateway = await startGateway({ folder, config: exactConfig(rig.upstream.url) });
  let isOver = false;
  try {
    const made = await gateway.post('/key/generate', { max_budget: cap / 1e9 });
    const { key } = (await made.json()) as { key: string };
    const before = (await rig.upstream.invoice()).length;
    const loading = load(gateway, key, random, () => isOver);
    for (let number = first; number <= last; number++) {
      await pause(random() * 60);
      const isWalCut = number % 4 === 3;
      const stoppedAt = performance.timeOrigin + performance.now();
      const { folder: image, invoice } = await cut(
        gateway,
        rig,
        join(folder, `image-${number}`),
        random,
        isWalCut,
        before,
      );
      const books = await restart(image).catch((error: Error) => ({ integrity: error.message, spent: 0, rows: 0 }));
      rmSync(image, { recursive: true, force: true });
      if (books.integrity !== 'ok') {
        found.corrupt += 1;
        found.broken.push(`cut ${number}: ${books.integrity}`);
        continue;
      }
      // A write-ahead log that lost what had been synced proves nothing about money.
      if (isWalCut) continue;
      const sent = invoice.filter((one) => one.dispatchedAtMs < stoppedAt && one.state === 'billed');
      const owed = sum(sent.map(({ model, usage }) => billed(model, usage)));
      if (sent.length > books.rows) found.unseen += 1;
      if (books.spent >= owed) continue;
      found.lost += 1;
      found.broken.push(`cut ${number}: ${owed} nano-dollars were sent out, the books have ${books.spent}`);
    }
    isOver = true;
    found.requests += await loading;
  } finally {
    isOver = true;
    await gateway.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Promise 48: the embedded store and the journal after power cuts at any moment. */
export const powerLossRow: Row = {
  row: 48,
  promise: 'Embedded mode survives power loss',
  target: 'corrupt 0, and money that was given out and is no longer in the books 0, over 1,000 cuts',
  async run(rig, size) {
    const cuts = size === 'short' ? 4 : cutsFull;
    const random = seeded(48);
    const found: Found = { requests: 0, corrupt: 0, lost: 0, unseen: 0, broken: [] };
    // Every image is read whole: after some cuts another gateway begins with empty books.
    for (let first = 0; first < cuts; first += cutsEach) {
      await cutOften(rig, found, random, first, Math.min(cuts, first + cutsEach) - 1);
    }
    const { requests, corrupt, lost, unseen, broken } = found;
    if (unseen === 0 && size === 'full') broken.push('no cut took a request that was under way: nothing was shown');
    return {
      figures: {
        cuts,
        requests,
        corrupt,
        'cuts after which requests were missing from the records': unseen,
        'of these, money missing from the books': lost,
      },
      broken: broken.slice(0, 20),
    };
  },
};

import type { Diagnostic, Path, Severity } from './diagnostic.ts';
import { renderPath } from './diagnostic.ts';
import type { Origins } from './origin.ts';

export interface FindingDetails {
  readonly expected?: string;
  readonly nearest?: string | undefined;
  /** Point at the key instead of its value. */
  readonly atKey?: boolean;
}

/** Collects diagnostics about one configuration tree and finds their places. */
export class Findings {
  readonly list: Diagnostic[] = [];
  readonly #file: string;
  readonly #root: unknown;
  readonly #origins: Origins;

  constructor(file: string, root: unknown, origins: Origins) {
    this.#file = file;
    this.#root = root;
    this.#origins = origins;
  }

  add(severity: Severity, path: Path, message: string, details: FindingDetails = {}): void {
    const place = this.#origins.locate(this.#root, path, details.atKey ? 'key' : 'value');
    this.list.push({
      severity,
      file: place?.file ?? this.#file,
      line: place?.line ?? 0,
      column: place?.column ?? 0,
      path: renderPath(path),
      message,
      ...(details.expected !== undefined && { expected: details.expected }),
      ...(details.nearest !== undefined && { nearest: details.nearest }),
    });
  }
}

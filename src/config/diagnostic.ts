/**
 * What is wrong in a configuration, where, and what would be right.
 *
 * - `error`: the file is refused; at start the program ends, at reload the old configuration stays.
 * - `skipped`: one deployment is left out, everything else works.
 * - `warning`: accepted, but probably not what was meant.
 * - `notice`: accepted and kept, not active yet.
 */
export type Severity = 'error' | 'skipped' | 'warning' | 'notice';

export interface Diagnostic {
  readonly severity: Severity;
  /** As the operator named it; `stored model` for one that came from the database. */
  readonly file: string;
  /** From 1; 0 where there is no place in a file. */
  readonly line: number;
  readonly column: number;
  /** Dotted, e.g. `model_list[0].litellm_params.rpm`; empty for the whole file. */
  readonly path: string;
  readonly message: string;
  readonly expected?: string;
  readonly nearest?: string;
}

/** The message of a known key that does nothing so far. */
export const notActiveYet = 'accepted and kept, not active yet';
/** That of a key which another gateway of this format knows. */
export const withoutEffect = 'accepted, without effect here';
const toldTogether = [notActiveYet, withoutEffect];

export type Path = readonly (string | number)[];

export function renderPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** One line: `config.yaml:12:7 router_settings.routing_stratgy: unknown key; did you mean routing_strategy?` */
export function renderDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, path, message, expected, nearest } = diagnostic;
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  let text = path === '' ? `${place} ${message}` : `${place} ${path}: ${message}`;
  if (expected !== undefined) text += `; expected ${expected}`;
  if (nearest !== undefined) text += `; did you mean ${nearest}?`;
  return text;
}

/** Errors first, then by place; the notices become one line at the end. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[]): string[] {
  const lines: string[] = [];
  for (const severity of ['error', 'skipped', 'warning'] as const) {
    const found = diagnostics.filter((diagnostic) => diagnostic.severity === severity).sort(byPlace);
    for (const diagnostic of found) lines.push(`${severity}: ${renderDiagnostic(diagnostic)}`);
  }
  const notices = diagnostics.filter((diagnostic) => diagnostic.severity === 'notice');
  for (const notice of notices) {
    if (!toldTogether.includes(notice.message)) lines.push(`notice: ${renderDiagnostic(notice)}`);
  }
  for (const message of toldTogether) {
    const keys = notices.filter((notice) => notice.message === message).map(({ path }) => path);
    if (keys.length > 0) lines.push(`notice: ${message}: ${[...new Set(keys)].join(', ')}`);
  }
  return lines;
}

/** Files stay in the order in which they were read. */
function byPlace(one: Diagnostic, other: Diagnostic): number {
  return one.file === other.file ? one.line - other.line || one.column - other.column : 0;
}

export function isRefused(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === 'error');
}

/** Thrown by callers that cannot go on without a configuration; its message is what the operator reads. */
export class ConfigError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(renderDiagnostics(diagnostics.filter((diagnostic) => diagnostic.severity === 'error')).join('\n'));
    this.name = 'ConfigError';
    this.diagnostics = diagnostics;
  }
}

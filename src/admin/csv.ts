export type Cell = string | number | boolean | null;

/** Comma-separated values as RFC 4180 has them, with a line of headings. */
export function csv(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return `${[headings, ...rows].map((row) => row.map(cellText).join(',')).join('\r\n')}\r\n`;
}

/** A name that a spreadsheet would take for a formula is marked as text. */
function cellText(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A table in Markdown; figures to the right. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const isFigure = headings.map((_, column) => rows.every((row) => /^-?[\d.]+( %)?$/.test(String(row[column] ?? 0))));
  const line = (cells: readonly Cell[]) => `| ${cells.map((cell) => markdownText(cell)).join(' | ')} |`;
  const rule = `| ${isFigure.map((right) => (right ? '---:' : '---')).join(' | ')} |`;
  return `${[line(headings), rule, ...rows.map(line)].join('\n')}\n`;
}

function markdownText(cell: Cell): string {
  return cell === null
    ? ''
    : String(cell)
        .replace(/[\\|`*_<>[\]]/g, '\\$&')
        .replace(/[\r\n]+/g, ' ');
}

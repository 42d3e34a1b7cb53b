import { type Curve, rounded } from './figures.ts';

const panel = { width: 560, height: 240, left: 40, right: 250, top: 34, bottom: 36 };
const colours = ['#3b82f6', '#e07b00', '#10a37f', '#c04ad0', '#8a8f98'];

/**
 * One panel for each section: every figure in units of what it is at the smallest size, over the size. A level line is a cost
 * that does not grow. Drawn in colours that can be read on light and on dark paper.
 */
export function scalePlot(
  sections: readonly (readonly [section: string, title: string])[],
  curves: readonly Curve[],
): string {
  const panels = sections
    .map(([section, title]) => ({
      title,
      curves: curves.filter((curve) => curve.section === section && isDrawn(curve)),
    }))
    .filter((one) => one.curves.length > 0);
  const height = panels.length * panel.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${panel.width} ${height}" font-family="sans-serif" font-size="11">`,
    '<title>What a request costs as keys, deployments, rows and replicas grow</title>',
    '<style>text{fill:#444}.grid{stroke:#8884}@media (prefers-color-scheme:dark){text{fill:#ccc}}</style>',
    ...panels.flatMap(({ title, curves }, index) => drawn(title, curves, index * panel.height)),
    '</svg>',
    '',
  ].join('\n');
}

function isDrawn({ points }: Curve): boolean {
  return points.length > 1 && points[0]!.value > 0;
}

function drawn(title: string, curves: readonly Curve[], offset: number): string[] {
  const sizes = [...new Set(curves.flatMap(({ points }) => points.map(({ size }) => size)))].sort((a, b) => a - b);
  const first = Math.log(sizes[0]!);
  const span = Math.log(sizes.at(-1)!) - first;
  const right = panel.width - panel.right;
  const bottom = offset + panel.height - panel.bottom;
  const x = (size: number) => panel.left + ((Math.log(size) - first) / span) * (right - panel.left);
  const relative = curves.map(({ points }) =>
    points.map(({ size, value }) => ({ size, value: value / points[0]!.value })),
  );
  const highest = Math.max(3, ...relative.flat().map(({ value }) => Math.ceil(value)));
  const y = (value: number) => bottom - (value / highest) * (panel.height - panel.top - panel.bottom);
  const step = Math.ceil(highest / 6);
  const parts = [`<text x="${panel.left}" y="${offset + 18}" font-size="13">${title}</text>`];
  for (let line = 0; line <= highest; line += step) {
    parts.push(
      `<line class="grid" x1="${panel.left}" x2="${right}" y1="${y(line)}" y2="${y(line)}"/>`,
      `<text x="${panel.left - 6}" y="${y(line) + 4}" text-anchor="end">${line}×</text>`,
    );
  }
  for (const size of sizes) {
    parts.push(
      `<text x="${x(size).toFixed(1)}" y="${bottom + 16}" text-anchor="middle">${size.toLocaleString('en')}</text>`,
    );
  }
  const labels = spread(
    relative.map((points) => y(points.at(-1)!.value)),
    14,
  );
  for (const [index, points] of relative.entries()) {
    const { name, unit, points: own } = curves[index]!;
    const colour = colours[index % colours.length]!;
    const line = points.map(({ size, value }) => `${x(size).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
    parts.push(`<polyline points="${line}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const { size, value } of points) {
      parts.push(`<circle cx="${x(size).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3" fill="${colour}"/>`);
    }
    const told = `${name}: ${rounded(own.at(-1)!.value)} ${unit.split(',')[0]!.split(' ')[0]}`;
    parts.push(`<text x="${right + 10}" y="${(labels[index]! + 4).toFixed(1)}" style="fill:${colour}">${told}</text>`);
  }
  return parts;
}

/** Moves labels apart so that none lies on another. */
function spread(places: readonly number[], gap: number): number[] {
  const order = places.map((_, index) => index).sort((one, other) => places[other]! - places[one]!);
  const moved = [...places];
  for (const [at, index] of order.entries()) {
    if (at > 0) moved[index] = Math.min(moved[index]!, moved[order[at - 1]!]! - gap);
  }
  return moved;
}

const WIDTH = 900;
const LABELS = 420;
const ROW = 26;
const TOP = 44;
const COLOURS = { ours: '#1f6feb', bare: '#8b949e', peer: '#d29922' };

/** Horizontal bars: `{ label, value, text, kind }`, of which `kind` is a colour. */
export function barChart({ title, bars }) {
  const most = Math.max(...bars.map(({ value }) => value));
  const height = TOP + bars.length * ROW + 12;
  const rows = bars.map((bar, index) => row(bar, TOP + index * ROW, most));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="13">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="12" y="26" font-size="16" font-weight="bold">${escape(title)}</text>`,
    ...rows,
    '</svg>\n',
  ].join('\n');
}

function row({ label, value, text, kind }, y, most) {
  const width = (value / most) * (WIDTH - LABELS - 90);
  return [
    `<text x="${LABELS - 8}" y="${y + 15}" text-anchor="end">${escape(label)}</text>`,
    `<rect x="${LABELS}" y="${y + 2}" width="${Math.max(1, width).toFixed(1)}" height="${ROW - 8}" fill="${COLOURS[kind]}"/>`,
    `<text x="${(LABELS + width + 6).toFixed(1)}" y="${y + 15}">${escape(text)}</text>`,
  ].join('\n');
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

import Table from 'cli-table3';

/** Without lines: what is selected with the mouse, or cut by another program, is the text alone. */
const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

export type Cell = string | number | boolean | Date | undefined;

/** Rows in columns. `paint` gets each cell after it was made safe, with the title of its column. */
export function table(
  titles: readonly string[],
  rows: readonly (readonly Cell[])[],
  paint: (text: string, title: string) => string = (text) => text,
): string {
  const made = new Table({ chars: NO_LINES, style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 } });
  made.push(titles.map((title) => paint(title, '')));
  for (const row of rows) made.push(row.map((cell, index) => paint(show(cell), titles[index] ?? '')));
  return withoutTrailingSpace(made.toString());
}

/** Names and values, one below the other; what is `undefined` is left out. */
export function facts(values: Readonly<Record<string, Cell>>): string {
  const known = Object.entries(values).filter(([, value]) => value !== undefined);
  const width = Math.max(0, ...known.map(([name]) => name.length));
  return known.map(([name, value]) => `${name.padEnd(width)}  ${show(value)}`).join('\n');
}

/** Times in UTC, as the database has them. */
export function show(cell: Cell): string {
  if (cell === undefined) return '-';
  return cell instanceof Date ? cell.toISOString() : oneLine(String(cell));
}

/** A name in the database may hold what a terminal would carry out: colours, a new title, a line that it rubs out. */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, escaped);
}

/** The same for a text that has lines, such as a stack. */
export function lines(text: string, indent = ''): string {
  return text
    .split(/\r?\n/)
    .map((line) => indent + oneLine(line))
    .join('\n');
}

/** Milliseconds as people say it: `3m`, `2h 5m`. */
export function span(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return hours > 0 ? `${days}d ${hours}h` : `${days}d`;
  if (hours > 0) return minutes > 0 ? `${hours}h ${minutes}m` : `${hours}h`;
  return minutes > 0 ? `${minutes}m` : `${seconds}s`;
}

/** For people. JSON itself leaves DEL and the control characters from 0x80 on as they are. */
export function json(value: unknown): string {
  return lines(JSON.stringify(value, undefined, 2) ?? '-');
}

function escaped(character: string): string {
  return `\\u${character.codePointAt(0)?.toString(16).padStart(4, '0')}`;
}

function withoutTrailingSpace(text: string): string {
  return text.replaceAll(/ +$/gm, '');
}

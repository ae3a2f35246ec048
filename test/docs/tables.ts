/** The rows of a page's tables: its cells, without the line of dashes. */
export function tableRows(text: string): string[][] {
  const rows = text.split('\n').filter((line) => /^\|.*\|$/.test(line));
  const cells = rows.map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
  return cells.filter((row) => !row.every((cell) => /^:?-+:?$/.test(cell)));
}

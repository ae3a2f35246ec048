/** What ends a line, steers a terminal, or turns text around. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;
const NAMED: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\r': String.raw`\r`, '\t': String.raw`\t` };

/** Text of somebody else, bounded and on one line: a job type with a newline in it cannot look like a line of the log's own. */
export function oneLine(text: string, longest: number): string {
  const bounded = text.length > longest ? `${text.slice(0, longest)}…` : text;
  return bounded.replaceAll(CONTROLS, (character) => NAMED[character] ?? escaped(character));
}

function escaped(character: string): string {
  return String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0');
}

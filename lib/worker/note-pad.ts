import type { JobNotes, LogLine } from '../job/job-notes.js';

const LONGEST_MESSAGE = 2_000;
const MOST_LINES = 1_000;

/** What one attempt has told and nobody has written down yet. Bounded: a handler that logs in a loop fills no disk. */
export class NotePad {
  private lines: LogLine[] = [];
  private progress: string | undefined;
  private count = 0;

  log(message: string): void {
    this.count++;
    if (this.count > MOST_LINES) return;
    const text = this.count === MOST_LINES ? `(no more than ${MOST_LINES} lines are kept)` : cut(message);
    this.lines.push({ line: this.count, at: performance.now(), message: text });
  }

  /** `json`: the latest wins. */
  tell(json: string): void {
    this.progress = json;
  }

  /** What is new since the last time; `undefined` when nothing is. */
  take(): JobNotes | undefined {
    if (this.lines.length === 0 && this.progress === undefined) return undefined;
    const notes = { progress: this.progress, lines: this.lines };
    this.lines = [];
    this.progress = undefined;
    return notes;
  }

  /** What was taken could not be written. */
  putBack(notes: JobNotes | undefined): void {
    if (notes === undefined) return;
    this.lines = [...notes.lines, ...this.lines];
    this.progress ??= notes.progress;
  }
}

/** No database stores half a surrogate pair in JSON, nor PostgreSQL a NUL character; cutting may halve a pair. */
function cut(message: string): string {
  const text = message.replaceAll('\0', '\u{fffd}');
  if (text.length <= LONGEST_MESSAGE) return wellFormed(text);
  return `${wellFormed(text.slice(0, LONGEST_MESSAGE))}… (${text.length} characters)`;
}

function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

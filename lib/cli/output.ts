import pc from 'picocolors';
import { PersistentQueueError } from '../errors/persistent-queue.error.js';
import { allMessages } from './all-messages.js';
import { exitCodeOf } from './exit-code.js';
import type { Settings } from './settings.js';
import { lines, table, type Cell } from './text.js';

type Look = Pick<Settings, 'json' | 'quiet' | 'verbose' | 'color'>;
type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** Answers go to stdout, everything else to stderr. */
export class Output {
  private readonly colors: ReturnType<typeof pc.createColors>;

  constructor(private readonly look: Look) {
    this.colors = pc.createColors(look.color && hasColors(process.stdout));
  }

  /** On a terminal that somebody watches, and that nothing else is written to. */
  get showsProgress(): boolean {
    return process.stderr.isTTY && this.look.quiet !== true;
  }

  /** What was asked for. `brief`: what is left of it with `--quiet`. */
  answer(value: unknown, text: () => string, brief: () => string = text): void {
    if (this.look.json === true) return write(JSON.stringify(value));
    const answer = this.look.quiet === true ? brief() : text();
    if (answer !== '') write(answer);
  }

  /** What was done: nobody asked for it. */
  done(value: unknown, text: string): void {
    this.answer(
      value,
      () => lines(text),
      () => '',
    );
  }

  paint(style: Style, text: string): string {
    return this.colors[style](text);
  }

  /** `paint` is given a cell's text and the title of its column. */
  table(
    titles: readonly string[],
    rows: readonly (readonly Cell[])[],
    paint = (text: string, _title: string) => text,
  ): string {
    return table(titles, rows, (text, title) => (title === '' ? this.paint('bold', text) : paint(text, title)));
  }

  heading(text: string): string {
    return this.paint('bold', text);
  }

  /** The state of a job, in the colour that it has everywhere. */
  state(text: string): string {
    const styles: Record<string, Style> = { failed: 'red', running: 'cyan', succeeded: 'green', cancelled: 'dim' };
    const style = styles[text];
    return style === undefined ? text : this.paint(style, text);
  }

  error(error: unknown, exitCode = exitCodeOf(error)): void {
    process.stderr.write(`${this.look.json === true ? asJson(error, exitCode) : this.sentence(error)}\n`);
  }

  private sentence(error: unknown): string {
    const colors = pc.createColors(this.look.color && hasColors(process.stderr));
    const stack = this.look.verbose === true && error instanceof Error ? `\n${lines(stackOf(error))}` : '';
    return `${colors.red('error:')} ${lines(allMessages(error))}${stack}`;
  }
}

function asJson(error: unknown, exitCode: number): string {
  const name = error instanceof PersistentQueueError ? error.name : 'Error';
  return JSON.stringify({ error: { name, message: allMessages(error), exitCode } });
}

function stackOf(error: Error): string {
  const stack = error.stack ?? '';
  return error.cause instanceof Error ? `${stack}\ncaused by ${stackOf(error.cause)}` : stack;
}

/** What is no terminal has no `isTTY` at all; handed on, that would let picocolors decide, to which every CI run is a terminal. */
function hasColors({ isTTY = false }: { readonly isTTY?: boolean }): boolean {
  return isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
}

function write(text: string): void {
  process.stdout.write(`${text}\n`);
}

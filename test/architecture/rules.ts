import { posix } from 'node:path';
import ts from 'typescript';

/** A file of lib/, its path relative to lib/. */
export interface SourceFile {
  path: string;
  text: string;
}

/** Each rule answers a line for every violation. */
export type Rule = (files: SourceFile[]) => string[];

const MAX_LINES = 250;
/** In parts, so that whoever searches for such words does not find this rule. */
const FORBIDDEN = new RegExp(`\\b(${['TO-DO', 'FIX-ME', 'X-XX'].map((word) => word.replace('-', '')).join('|')})\\b`);
const SQL = /\b(SELECT |INSERT INTO|UPDATE |DELETE FROM)/;

/** Files directly in lib/ are the room '.'. */
export function roomOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '.';
}

export function knownRooms(rooms: string[]): Rule {
  return (files) =>
    files.filter(({ path }) => !rooms.includes(roomOf(path))).map(({ path }) => `${path}: the room is not in the list`);
}

/** A file imports its own room or an earlier one. */
export function oneDirection(rooms: string[]): Rule {
  return (files) =>
    files.flatMap((file) =>
      importsOf(file)
        .filter((target) => rooms.indexOf(roomOf(target)) > rooms.indexOf(roomOf(file.path)))
        .map((target) => `${file.path}: imports ${target} of a later room`),
    );
}

export function noBarrels(allowed: string[]): Rule {
  return (files) =>
    files
      .filter(({ path }) => posix.basename(path) === 'index.ts' && !allowed.includes(path))
      .map(({ path }) => `${path}: a barrel inside`);
}

export const noCycles: Rule = (files) => {
  const graph = new Map(files.map((file) => [file.path, importsOf(file)]));
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: string[]): void => {
    if (trail.includes(path)) {
      cycles.push(`${[...trail.slice(trail.indexOf(path)), path].join(' → ')}: a cycle`);
      return;
    }
    if (finished.has(path)) return;
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return cycles;
};

export const smallFiles: Rule = (files) =>
  files
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines, at most ${MAX_LINES}`);

export const noForbiddenWords: Rule = (files) =>
  files.flatMap(({ path, text }) => {
    const found = FORBIDDEN.exec(text);
    return found ? [`${path}: contains ${found[0]}`] : [];
  });

/** SQL is written in these rooms only; prose about it may stand anywhere. */
export function sqlOnlyIn(rooms: string[]): Rule {
  return (files) =>
    files
      .filter(({ path }) => !rooms.includes(roomOf(path)))
      .flatMap((file) =>
        stringsOf(file)
          .filter((text) => SQL.test(text))
          .map((text) => `${file.path}: SQL outside ${rooms.join(', ')}: ${text.trim().slice(0, 40)}`),
      );
}

/** The files of lib/ that a file imports, re-exports or loads later, types included. */
function importsOf({ path, text }: SourceFile): string[] {
  return ts
    .preProcessFile(text)
    .importedFiles.map(({ fileName }) => fileName)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts'));
}

function stringsOf({ path, text }: SourceFile): string[] {
  const strings: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      strings.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
  return strings;
}

import { join, relative } from 'node:path';
import ts from 'typescript';
import { LIB } from './lib-files.js';

export interface ApiExport {
  name: string;
  /** Whether one of its doc comments carries the tag (overloads and merged declarations share it). */
  isTagged: boolean;
}

const TAG = 'publicApi';

/** What an entry point exports, sorted by name. */
export function exportsOf(entry: string, folder = LIB): ApiExport[] {
  const file = join(folder, entry);
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    // Only names and comments are read: no need to load what the sources are built on.
    noLib: true,
    types: [],
  });
  const source = program.getSourceFile(file);
  if (!source) throw new Error(`${relative(folder, file)} is missing`);
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(source);
  return (module ? checker.getExportsOfModule(module) : [])
    .map((symbol) => ({ name: symbol.name, isTagged: isTagged(checker, symbol) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function isTagged(checker: ts.TypeChecker, symbol: ts.Symbol): boolean {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  const tags = (target.declarations ?? []).flatMap((declaration) => ts.getJSDocTags(declaration));
  return tags.some(({ tagName }) => tagName.text === TAG);
}

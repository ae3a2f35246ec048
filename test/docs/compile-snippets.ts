import { join } from 'node:path';
import ts from 'typescript';
import { PRELUDE } from './prelude.js';
import type { Snippet } from './snippets.js';

/** Type-checks the snippets, each as a module of its own, in one program. Answers what is wrong: `page:line: message`. */
export function compileSnippets(root: string, snippets: readonly Snippet[]): string[] {
  const options = readOptions(root);
  const byFile = new Map(snippets.map((snippet) => [fileOf(root, snippet), snippet]));
  const prelude = join(root, 'docs/prelude.d.ts');
  const sources = new Map([[prelude, PRELUDE], ...[...byFile].map(([file, { code }]) => [file, code] as const)]);
  const program = ts.createProgram([...sources.keys()], options, hostWith(sources, options));
  return ts.getPreEmitDiagnostics(program).map((diagnostic) => describe(diagnostic, byFile));
}

/** The repository's own options, as strict as they are: what a reader copies must pass in a strict project too. */
function readOptions(root: string): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root, undefined, join(root, 'tsconfig.json'));
  return { ...options, moduleDetection: ts.ModuleDetectionKind.Force, declaration: false };
}

/** Only the compiler sees these files: nothing is written to the disk. */
function hostWith(sources: ReadonlyMap<string, string>, options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  return {
    ...host,
    fileExists: (file) => sources.has(file) || host.fileExists(file),
    readFile: (file) => sources.get(file) ?? host.readFile(file),
    getSourceFile: (file, languageVersion, ...rest) => {
      const source = sources.get(file);
      if (source === undefined) return host.getSourceFile(file, languageVersion, ...rest);
      return ts.createSourceFile(file, source, languageVersion);
    },
  };
}

function fileOf(root: string, { page, line }: Snippet): string {
  return join(root, 'docs', `${page.replaceAll(/\W/g, '-')}-${line}.ts`);
}

function describe({ file, start, messageText }: ts.Diagnostic, byFile: ReadonlyMap<string, Snippet>): string {
  const message = ts.flattenDiagnosticMessageText(messageText, '\n');
  const snippet = byFile.get(file?.fileName ?? '');
  if (file === undefined) return message;
  const line = file.getLineAndCharacterOfPosition(start ?? 0).line + 1;
  return snippet === undefined
    ? `${file.fileName}:${line}: ${message}`
    : `${snippet.page}:${snippet.line + line}: ${message}`;
}

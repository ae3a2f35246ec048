// Packs the library as npm would publish it, looks at what is in the tarball, and loads it the way users do.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import ts from 'typescript';
import { root } from './build.mjs';
import { pack } from './pack.mjs';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const requiredPeers = Object.keys(manifest.peerDependencies).filter(
  (name) => !manifest.peerDependenciesMeta?.[name]?.optional,
);
/** The compiler does not make these, so that nothing but this would miss them. */
const ASSETS = 'dashboard/inspect/assets';
const assets = readdirSync(join(root, 'lib', ASSETS)).map((name) => `dist/${ASSETS}/${name}`);
/** What a user has installed for sure once this package is. */
const available = [...Object.keys(manifest.dependencies ?? {}), ...requiredPeers];
/** What whoever imports a subpath has installed as well. */
const PEERS_OF = {
  dashboard: ['@bull-board/api', '@bull-board/express'],
  health: ['@nestjs/terminus'],
  redis: ['ioredis'],
};

const folder = mkdtempSync(join(tmpdir(), 'pq-pack-'));
try {
  const tarball = pack(folder);
  const installed = install(tarball);
  const problems = [
    ...checkFiles(installed),
    ...checkTypes(installed),
    ...(await lint(tarball)),
    ...loadAll(),
    ...checkPrograms(installed),
  ];
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true });
}

/** Unpacks into a node_modules that holds nothing but what every user has. */
function install(tarball) {
  const target = join(folder, 'node_modules', manifest.name);
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
  link(available);
  return target;
}

function link(names) {
  for (const name of names) {
    const path = join(folder, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), path);
  }
}

function checkFiles(installed) {
  const wanted = ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', ...assets];
  const files = filesIn(installed);
  return [
    ...wanted.filter((name) => !files.includes(name)).map((name) => `the tarball lacks ${name}`),
    ...files
      .filter((name) => !wanted.includes(name) && !/^dist\/.+(\.c?js|\.c?js\.map|\.d\.c?ts)$/.test(name))
      .map((name) => `${name} does not belong into the tarball`),
    ...files
      .filter((name) => readFileSync(join(installed, name), 'utf8').includes(root))
      .map((name) => `${name} names a folder of this machine`),
    ...files
      .filter((name) => name.endsWith('.map') && !isComplete(installed, name))
      .map((name) => `${name} needs files outside`),
  ];
}

/** The sources a map refers to are not in the tarball, so it must bring their text. */
function isComplete(installed, map) {
  const { sources, sourcesContent = [] } = JSON.parse(readFileSync(join(installed, map), 'utf8'));
  return sources.every((_, index) => typeof sourcesContent[index] === 'string');
}

/** A type that comes from a package the user may not have makes the user's compiler fail, if it comes to see the file. */
function checkTypes(installed) {
  return typesReachedIn(installed).flatMap((name) =>
    ts
      .preProcessFile(readFileSync(join(installed, name), 'utf8'))
      .importedFiles.map(({ fileName }) => fileName)
      .filter(
        (specifier) =>
          !specifier.startsWith('.') && !isBuiltin(specifier) && !allowedIn(name).includes(packageOf(specifier)),
      )
      .map((specifier) => `${name} imports ${specifier}, which is neither a dependency nor a required peer`),
  );
}

function allowedIn(file) {
  return [...available, ...(PEERS_OF[file.split('/')[1]] ?? [])];
}

async function lint(tarball) {
  const { messages, pkg } = await publint({ pack: { tarball: readFileSync(tarball) }, strict: true });
  return messages.map((message) => formatMessage(message, pkg));
}

/** Those that need more than everybody has come last, so that all others have been loaded without. */
function loadAll() {
  const paths = Object.keys(manifest.exports).filter((path) => typeof manifest.exports[path] === 'object');
  const needy = paths.filter((path) => path.slice(2) in PEERS_OF);
  const problems = load(paths.filter((path) => !needy.includes(path)));
  link(Object.values(PEERS_OF).flat());
  return [...problems, ...load(needy)];
}

/** Entry points, by `import` and by `require`: both must bring the same names. */
function load(paths) {
  const entries = paths.map((path) => JSON.stringify(manifest.name + path.slice(1)));
  // Applications load this one themselves, before anything that is decorated.
  writeFileSync(
    join(folder, 'load.mjs'),
    `import 'reflect-metadata';\n${print(entries.map((name) => `await import(${name})`))}`,
  );
  writeFileSync(
    join(folder, 'load.cjs'),
    `require('reflect-metadata');\n${print(entries.map((name) => `require(${name})`))}`,
  );
  const [imported, required] = ['load.mjs', 'load.cjs'].map((script) =>
    execFileSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' }),
  );
  const empty = JSON.parse(imported).flatMap((names, index) =>
    names.length === 0 ? [`${entries[index]} exports nothing`] : [],
  );
  return imported === required ? empty : [`import and require differ: ${imported} ${required}`];
}

/** Run as a shell would, and not by the name of Node. */
function checkPrograms(installed) {
  return Object.entries(manifest.bin).flatMap(([name, path]) => {
    const file = join(installed, path);
    if (!readFileSync(file, 'utf8').startsWith('#!/usr/bin/env node\n')) return [`${name} has no #! line for Node`];
    // As every package manager does when it installs: the modes of a tarball are whatever the compiler left.
    chmodSync(file, 0o755);
    const version = execFileSync(file, ['--version'], { encoding: 'utf8' }).trim();
    return version === manifest.version ? [] : [`${name} --version says ${version}, not ${manifest.version}`];
  });
}

function print(modules) {
  return `console.log(JSON.stringify([${modules.join()}].map((each) => Object.keys(each).sort())));`;
}

/** From the entry points: what is only loaded when it is asked for may need what not everybody has. */
function typesReachedIn(installed) {
  const entries = Object.values(manifest.exports).flatMap(({ types }) => (types === undefined ? [] : [types]));
  const reached = new Set(entries.map((path) => path.slice('./'.length)));
  for (const name of reached)
    for (const { fileName } of ts.preProcessFile(readFileSync(join(installed, name), 'utf8')).importedFiles)
      if (fileName.startsWith('.')) reached.add(join(dirname(name), fileName.replace(/\.(c?)js$/, '.d.$1ts')));
  return [...reached];
}

/** `@scope/name/sub` is of the package `@scope/name`. */
function packageOf(specifier) {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function filesIn(directory) {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(directory, name)).isFile())
    .toSorted();
}

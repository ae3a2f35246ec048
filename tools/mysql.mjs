import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSid } from './sid.mjs';

const SERVER = 'usr/sbin/mysqld';
const UNFINISHED = 'unfinished-';
const ABANDONED_MS = 60 * 60 * 1_000;

/**
 * Debian's stable releases have no MySQL, sid has. Its server cannot be installed beside MariaDB's, and needs newer libraries than
 * the system's: so it is unpacked into a folder, and started by the dynamic linker from there.
 *
 * @returns what to start, the arguments it needs before all others, and its environment; undefined when nothing is unpacked.
 */
export function findUnpackedMySql() {
  const folder = unpackedVersions().at(-1);
  if (folder === undefined) return undefined;
  const libraries = folderOfLinker(folder);
  const linker = readdirSync(libraries).find(isLinker);
  return {
    program: join(libraries, linker),
    args: [
      '--library-path',
      libraries,
      join(folder, SERVER),
      '--no-defaults',
      // Where the package has its files is compiled in; other files of the same name may be there.
      `--basedir=${join(folder, 'usr')}`,
      `--lc-messages-dir=${join(folder, 'usr/share/mysql')}`,
      `--character-sets-dir=${join(folder, 'usr/share/mysql/charsets')}`,
      `--plugin-dir=${join(folder, 'usr/lib/mysql/plugin')}`,
    ],
    env: { TZDIR: join(folder, 'usr/share/zoneinfo') },
  };
}

/**
 * Downloads and unpacks the server unless that has been done.
 *
 * @throws Error that says why it is not possible here.
 */
export function unpackMySql() {
  if (unpackedVersions().length > 0) return;
  const cache = cacheFolder();
  mkdirSync(cache, { recursive: true });
  removeAbandoned(cache);
  const work = mkdtempSync(join(cache, UNFINISHED));
  try {
    const sid = openSid(join(work, 'apt'));
    const [name, version] = newestServer(sid.versions('mysql-server-core'));
    console.log(`Downloading ${name} ${version} of Debian sid into ${cache}`);
    const archives = sid.download([name, 'tzdata']);
    const root = join(work, 'root');
    for (const archive of archives) execFileSync('dpkg-deb', ['-x', archive, root]);
    moveInto(root, join(cache, version));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** `mysql-server-core`, or where sid has several releases side by side, the highest of `mysql-server-core-…`. */
function newestServer(versions) {
  const byRelease = [...versions].toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  const newest = byRelease.find(([name]) => name === 'mysql-server-core') ?? byRelease.at(-1);
  if (newest === undefined) throw new Error('sid has no mysql-server-core at present');
  return newest;
}

/** A folder gets its version as its name when it is complete, and all at once: nobody ever finds half of one. */
function moveInto(root, target) {
  try {
    renameSync(root, target);
  } catch (error) {
    // Somebody else was faster.
    if (!existsSync(target)) throw error;
  }
}

/** What a run that was killed has left. */
function removeAbandoned(cache) {
  for (const name of readdirSync(cache)) {
    const folder = join(cache, name);
    const isAbandoned = name.startsWith(UNFINISHED) && statSync(folder).mtimeMs < Date.now() - ABANDONED_MS;
    if (isAbandoned) rmSync(folder, { recursive: true, force: true });
  }
}

function unpackedVersions() {
  const cache = cacheFolder();
  if (!existsSync(cache)) return [];
  return readdirSync(cache)
    .filter((name) => !name.startsWith(UNFINISHED) && existsSync(join(cache, name, SERVER)))
    .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((version) => join(cache, version));
}

/** `MYSQL_CACHE`, or the user's cache, or the repository's. */
function cacheFolder() {
  const { MYSQL_CACHE: chosen, XDG_CACHE_HOME: ofUser } = process.env;
  if (chosen) return chosen;
  if (ofUser) return join(ofUser, 'nestjs-persistent-queue/mysql');
  return join(dirname(dirname(fileURLToPath(import.meta.url))), '.cache/mysql');
}

/** `usr/lib/x86_64-linux-gnu`, or whatever this machine's architecture calls it. */
function folderOfLinker(folder) {
  const libraries = join(folder, 'usr/lib');
  const found = readdirSync(libraries)
    .map((name) => join(libraries, name))
    .find((each) => statSync(each).isDirectory() && readdirSync(each).some(isLinker));
  if (found === undefined) throw new Error(`${basename(folder)} in ${dirname(folder)} has no dynamic linker`);
  return found;
}

function isLinker(name) {
  return /^ld-linux.*\.so\.\d+$/.test(name);
}

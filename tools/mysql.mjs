import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Cache } from './cache.mjs';
import { openSid } from './sid.mjs';

const SERVER = 'usr/sbin/mysqld';

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
  const cache = openCache();
  cache.add((work) => {
    const sid = openSid(join(work, 'apt'));
    const [name, version] = newestServer(sid.versions('mysql-server-core'));
    console.log(`Downloading ${name} ${version} of Debian sid into ${cache.folder}`);
    const archives = sid.download([name, 'tzdata']);
    const content = join(work, 'root');
    for (const archive of archives) execFileSync('dpkg-deb', ['-x', archive, content]);
    return { version, content };
  });
}

/** `mysql-server-core`, or where sid has several releases side by side, the highest of `mysql-server-core-…`. */
function newestServer(versions) {
  const byRelease = [...versions].toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  const newest = byRelease.find(([name]) => name === 'mysql-server-core') ?? byRelease.at(-1);
  if (newest === undefined) throw new Error('sid has no mysql-server-core at present');
  return newest;
}

function unpackedVersions() {
  return openCache().versions.filter((folder) => existsSync(join(folder, SERVER)));
}

function openCache() {
  return new Cache('mysql', process.env.MYSQL_CACHE);
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

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** How a machine may call the suite it runs: by its codename, or by a name that moves on. */
const MOVING = ['stable', 'testing', 'unstable', 'sid'];

/**
 * apt for Debian's suite sid, beside the system's own: settings, lists, package status and downloads are in `folder`, and the
 * status says that nothing is installed, so that it resolves all of a package's dependencies. Nothing of the system's is written.
 *
 * @throws Error that says why there is no such suite here.
 */
export function openSid(folder) {
  const mirrors = mirrorsOfThisMachine();
  if (mirrors.length === 0) throw new Error("this machine's apt knows no Debian mirror");
  const settings = writeSettings(folder);
  const failures = [];
  for (const mirror of mirrors) {
    writeSource(folder, mirror);
    try {
      apt('apt-get', ['-c', settings, '-q', 'update', '--error-on=any']);
      return new Sid(folder, settings);
    } catch (error) {
      failures.push(error.message);
    }
  }
  throw new Error(failures.join('; '));
}

class Sid {
  #folder;
  #settings;

  constructor(folder, settings) {
    this.#folder = folder;
    this.#settings = settings;
  }

  /** The versions that can be had of packages whose names begin so: name → version. */
  versions(prefix) {
    const names = apt('apt-cache', ['-c', this.#settings, 'pkgnames', prefix]).split('\n').filter(Boolean);
    const versions = names.map((name) => [name, this.#version(name)]);
    return new Map(versions.filter(([, version]) => version !== undefined));
  }

  /** Downloads packages with everything they depend on. Answers the files, checked by apt. */
  download(packages) {
    apt('apt-get', ['-c', this.#settings, '-q', '-y', '--download-only', 'install', ...packages]);
    const archives = join(this.#folder, 'cache/archives');
    return readdirSync(archives)
      .filter((name) => name.endsWith('.deb'))
      .map((name) => join(archives, name));
  }

  #version(name) {
    const shown = apt('apt-cache', ['-c', this.#settings, 'show', '--no-all-versions', name]);
    return /^Version: (.+)$/m.exec(shown)?.[1];
  }
}

/** Read by apt itself, whatever format its sources have: the addresses from which this machine's own suite comes. */
function mirrorsOfThisMachine() {
  if (!existsSync('/etc/debian_version')) throw new Error('this machine is not Debian');
  const system = readFileSync('/etc/os-release', 'utf8');
  if (!/^ID="?debian"?$/m.test(system)) throw new Error('this machine is not Debian');
  const suites = [/^VERSION_CODENAME="?(\w+)/m.exec(system)?.[1], ...MOVING];
  const format = '$(RELEASE) $(COMPONENT) $(REPO_URI)';
  const targets = apt('apt-get', ['indextargets', '--no-release-info', '--format', format, 'Created-By: Packages']);
  const main = targets
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([suite, component]) => suites.includes(suite) && component === 'main');
  return [...new Set(main.map(([, , mirror]) => mirror))];
}

function writeSettings(folder) {
  for (const each of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(join(folder, each), { recursive: true });
  writeFileSync(join(folder, 'status'), '');
  const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim();
  const values = {
    'APT::Architecture': architecture,
    'APT::Install-Recommends': 'false',
    // The user for downloads has no way into this folder.
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::Etc::sourcelist': join(folder, 'sid.sources'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'status'),
  };
  // Foreign architectures would triple the lists; what the system runs after an update looks after the system's own lists.
  const cleared = ['APT::Architectures', 'APT::Update', 'DPkg'];
  const lines = [
    ...cleared.map((name) => `#clear ${name};`),
    ...Object.entries(values).map(([name, value]) => `${name} "${value}";`),
  ];
  writeFileSync(join(folder, 'apt.conf'), `${lines.join('\n')}\n`);
  return join(folder, 'apt.conf');
}

function writeSource(folder, mirror) {
  const source = ['Types: deb', `URIs: ${mirror}`, 'Suites: sid', 'Components: main', 'Targets: Packages'];
  if (existsSync(KEYRING)) source.push(`Signed-By: ${KEYRING}`);
  writeFileSync(join(folder, 'sid.sources'), `${source.join('\n')}\n`);
}

function apt(program, args) {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    });
  } catch (error) {
    if (error.code === 'ENOENT') throw new Error(`${program} is missing`, { cause: error });
    const reason = /^E: .*$/m.exec(String(error.stderr))?.[0] ?? error.message;
    throw new Error(`${program}: ${reason}`, { cause: error });
  }
}

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = process.cwd();

interface Manifest {
  name: string;
  bin: Record<string, string>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta: Record<string, { optional?: boolean }>;
}

/** The package as npm would publish it, in a node_modules of its own. */
export class PackedPackage {
  private constructor(
    /** Where a user would stand: node_modules is in it. */
    readonly folder: string,
    private readonly manifest: Manifest,
  ) {}

  /** The program of the package, as npx would start it. */
  get program(): string {
    const [path = ''] = Object.values(this.manifest.bin);
    return join(this.folder, 'node_modules', this.manifest.name, path);
  }

  /** `without`: a peer that its user has not installed. */
  static async install(...without: string[]): Promise<PackedPackage> {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
    const folder = await mkdtemp(join(tmpdir(), 'pq-packed-'));
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
    const { stdout } = await run('npm', args, { cwd: root });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    const target = join(folder, 'node_modules', manifest.name);
    await mkdir(target, { recursive: true });
    await run('tar', ['-xzf', join(folder, filename), '-C', target, '--strip-components=1']);
    const packed = new PackedPackage(folder, manifest);
    await packed.link(without);
    // As every package manager does: the modes of a tarball are whatever the compiler left.
    await chmod(packed.program, 0o755);
    return packed;
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true });
  }

  private async link(without: readonly string[]): Promise<void> {
    const { dependencies, peerDependencies, peerDependenciesMeta } = this.manifest;
    const required = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
    for (const name of [...Object.keys(dependencies), ...required].filter((each) => !without.includes(each))) {
      const link = join(this.folder, 'node_modules', name);
      await mkdir(dirname(link), { recursive: true });
      await symlink(join(root, 'node_modules', name), link);
    }
  }
}

export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/proof/'],
  testTimeout: 30_000,
  // One more than the machine of CI has processors: most tests wait, for leases, databases and other processes.
  maxWorkers: 3,
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    // Sources import `./name.js`, as Node wants it; the file on disk is `./name.ts`.
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^(\\.{1,2}/heartbeat-thread-file)\\.cjs$': '$1.cts',
    // The package's own name means the sources under test, never a second copy from dist.
    '^nestjs-persistent-queue$': '<rootDir>/lib/index.ts',
    '^nestjs-persistent-queue/(.*)$': '<rootDir>/lib/$1/index.ts',
  },
  resolver: '<rootDir>/test/support/commonjs/resolver.cjs',
  transform: {
    '^.+\\.c?ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        jsc: {
          target: 'es2022',
          keepClassNames: true,
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
      },
    ],
  },
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  // Not the default under the system's temporary folder: a test run leaves nothing behind there.
  cacheDirectory: '<rootDir>/.cache/jest',
  coverageProvider: 'v8',
  collectCoverageFrom: ['lib/**/*.ts'],
};

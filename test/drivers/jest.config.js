import base from '../../jest.config.js';

const { globalSetup: _setup, globalTeardown: _teardown, ...withoutServers } = base;

/** What `npm test` runs once more with each SQLite driver that needs a newer Node, and under that Node. */
export default {
  ...withoutServers,
  rootDir: '../..',
  testMatch: [
    '<rootDir>/test/contract/sqlite*.spec.ts',
    '<rootDir>/test/contract/node-sqlite.spec.ts',
    '<rootDir>/test/process/{sqlite-busy,two-processes}.spec.ts',
    '<rootDir>/test/e2e/{module,own-connections,run-jobs}.spec.ts',
  ],
};

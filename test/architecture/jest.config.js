import base from '../../jest.config.js';

const { globalSetup: _setup, globalTeardown: _teardown, ...withoutServers } = base;

// The architecture is read from the sources: `npm run check` needs no database for it.
export default { ...withoutServers, rootDir: '../..', testMatch: ['<rootDir>/test/architecture/**/*.spec.ts'] };

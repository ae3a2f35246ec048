import base from '../../jest.config.js';

const { testPathIgnorePatterns: _withoutProof, ...shared } = base;

/** What takes minutes, because it waits for the default settings. One file at a time: they measure. */
export default { ...shared, rootDir: '../..', testMatch: ['<rootDir>/test/proof/**/*.spec.ts'], maxWorkers: 1 };

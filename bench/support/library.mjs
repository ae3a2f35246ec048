/** This folder is a package of its own, which cannot name the one around it. */
export * from '../../dist/index.js';

// On Node 20 and 22 Jest cannot `require()` an ES module, as Node itself does: CommonJS libraries get the Nest that is loaded already.
const path = require('node:path');

const LOADED = {
  '@nestjs/common': 'nestjs-common.cjs',
  '@nestjs/core': 'nestjs-core.cjs',
  '@nestjs/core/injector/injector': 'nestjs-injector.cjs',
  '@nestjs/core/errors/exceptions/unknown-dependencies.exception': 'nestjs-unknown-dependencies.cjs',
};

module.exports = (specifier, options) => {
  const loaded = options.conditions?.includes('require') ? LOADED[specifier] : undefined;
  return loaded === undefined ? options.defaultResolver(specifier, options) : path.join(__dirname, loaded);
};

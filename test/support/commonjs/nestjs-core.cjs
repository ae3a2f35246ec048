module.exports = globalThis.nestForCommonJs['core'];

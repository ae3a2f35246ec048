module.exports = globalThis.nestForCommonJs['unknown-dependencies'];

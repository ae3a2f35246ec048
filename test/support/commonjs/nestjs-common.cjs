module.exports = globalThis.nestForCommonJs['common'];

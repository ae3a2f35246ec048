module.exports = globalThis.nestForCommonJs['injector'];

/** Bugs planted on purpose (`processes/planted-repository.mjs`), and as which kind of violation the checker must find each. */
export const PLANTS = {
  'no-fence': 'stale-fence',
  'no-beat': 'taken-from-the-living',
  'completion-outside': 'missing-effect',
  'retry-on-callers': 'torn-transaction',
};

/** Each is a promise that can be broken: the proof of a planted bug is that it is found as what it is. */
const BROKEN = {
  unfinished: 'a job has not reached its end',
  'lost-enqueue': 'what was committed is not there',
  'not-rolled-back': 'what was rolled back is there, or has run',
  'doubled-enqueue': 'one enqueue has made two jobs',
  'torn-transaction': 'a transaction has happened in part',
  'missing-effect': 'a job has succeeded without what it wrote in its transaction',
  'doubled-effect': 'such an effect is there twice, or for a job that has not succeeded',
  'stale-fence': 'something was written under a fence that was gone',
  overlap: 'two attempts of one job ran at the same time',
  'too-many-attempts': 'there were more than the limits allow',
  'incomplete-history': 'the history does not tell what has happened',
  'taken-from-the-living': 'a job was taken from a node whose lease had not run out',
  'process-ended': 'a process has ended although nobody had killed it',
};

export const KINDS = Object.keys(BROKEN);

export function violation(kind, text) {
  return { kind, text };
}

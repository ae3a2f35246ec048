/** The type whose jobs are measured. */
export const JOB_TYPE = 'bench.job';

/** Of every type. */
export const MAX_RETRIES = 3;
export const MAX_CRASHES = 3;
/** Of a stepped job, in their order. */
export const STEPS = ['one', 'two', 'three'];

/** Of every type. */
export const MAX_RETRIES = 3;
export const MAX_CRASHES = 3;

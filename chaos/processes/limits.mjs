/** Of every type. */
export const MAX_RETRIES = 3;

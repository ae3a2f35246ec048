/** The path of a Chromium, or undefined when there is none. */
export function findChromium(): string | undefined;

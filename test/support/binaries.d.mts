/** Paths of what a Galera cluster needs, or undefined when one of them is missing. */
export function findGalera(): object | undefined;

/** The path of a Chromium, or undefined when there is none. */
export function findChromium(): string | undefined;

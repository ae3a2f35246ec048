/** About 200 bytes of JSON. */
export function payload(number) {
  return { orderId: number, note: 'x'.repeat(175) };
}

/** `count` of them, numbered from `first`. */
export function payloads(first, count) {
  return Array.from({ length: count }, (_, index) => payload(first + index));
}

/** Of an even number of values, the middle between the two. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** Nearest rank. */
export function percentile(values, percent) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
}

/** The middle value with the extremes: `median (min–max)`. */
export function spread(values, format) {
  if (values.length === 1) return format(values[0]);
  return `${format(median(values))} (${format(Math.min(...values))}–${format(Math.max(...values))})`;
}

export const perSecond = (value) => Math.round(value).toLocaleString('en');
export const milliseconds = (value) => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
export const microseconds = (value) => `${value.toFixed(2)} µs`;
export const ratio = (value) => `${value.toFixed(2)} ×`;
export const percent = (value) => `${(value * 100).toFixed(0)} %`;
export const mebibytes = (value) => `${(value / 2 ** 20).toFixed(1)} MiB`;

export function targetRows() {
  return [];
}

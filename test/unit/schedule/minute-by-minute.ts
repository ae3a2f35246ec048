const MINUTE = 60_000;

/**
 * The fire times of a spec of minute and hour, found by watching a clock for a while: the rules as they are told, without
 * any calendar and without knowing when the clocks are changed.
 */
export function minuteByMinute(minute: string, hour: string, zone: string, from: number, to: number): number[] {
  const isDue = (face: number): boolean => {
    const shown = new Date(face);
    return matches(minute, shown.getUTCMinutes(), 60) && matches(hour, shown.getUTCHours(), 24);
  };
  const isHourly = Array.from({ length: 24 }, (_, shown) => matches(hour, shown, 24)).every(Boolean);
  const isRepeated = isHourly || /[*?/]/.test(minute + hour);
  const faceAt = clockOf(zone);
  const times: number[] = [];
  let latest = faceAt(from - MINUTE);
  for (let time = from; time < to; time += MINUTE) {
    const face = faceAt(time);
    const hasMissed = !isHourly && facesBetween(latest, face).some(isDue);
    const isNew = face > latest;
    if (hasMissed || (isDue(face) && (isNew || isRepeated))) times.push(time);
    latest = Math.max(latest, face);
  }
  return times;
}

/** What the clock shows, as if it were UTC. */
function clockOf(zone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  return (time) => Date.parse(`${format.format(time)}Z`);
}

function facesBetween(earlier: number, later: number): number[] {
  const faces: number[] = [];
  for (let face = earlier + MINUTE; face < later; face += MINUTE) faces.push(face);
  return faces;
}

function matches(field: string, shown: number, size: number): boolean {
  return field.split(',').some((item) => {
    const [range = '', step = '1'] = item.split('/');
    const [first = '', last = item.includes('/') ? String(size - 1) : first] = range.split('-');
    if (range === '*' || range === '?') return shown % Number(step) === 0;
    return shown >= Number(first) && shown <= Number(last) && (shown - Number(first)) % Number(step) === 0;
  });
}

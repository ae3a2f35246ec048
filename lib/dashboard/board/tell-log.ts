import type { Attempt } from '../../job/attempt.js';
import type { JobLogLine } from '../../repository/job-repository.js';

interface Line {
  readonly at: Date;
  readonly text: string;
}

/** What the handler has logged, between the beginnings and ends of its attempts. */
export function tellLog(logged: readonly JobLogLine[], attempts: readonly Attempt[]): string[] {
  const lines: Line[] = [
    ...attempts.flatMap(beginning),
    ...logged.map(({ at, message }) => ({ at, text: message })),
    ...attempts.map(end),
  ];
  // Stable: of the same moment, a beginning comes before what was logged, and that before an end.
  return lines
    .toSorted((one, other) => one.at.getTime() - other.at.getTime())
    .map(({ at, text }) => `${at.toISOString()} ${text}`);
}

function beginning({ attempt, node, startedAt }: Attempt): Line[] {
  return startedAt === undefined ? [] : [{ at: startedAt, text: `Attempt ${attempt} begins on ${node}` }];
}

function end({ attempt, endedAt, outcome, reason, error }: Attempt): Line {
  const why = [outcome, ...(reason === undefined ? [] : [reason])].join(', ');
  const what = error === undefined ? '' : `: ${error.name}: ${error.message}`;
  return { at: endedAt, text: `Attempt ${attempt} has ended (${why})${what}` };
}

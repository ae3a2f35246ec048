/** What one look at one thing has shown. */
export interface Finding {
  /** The name of the check, as docs/doctor.md lists it: `schema.indexes`. One check may find several things. */
  readonly check: string;
  /** `warning`: something will go wrong, or could not be looked at. `error`: jobs do not run as promised now. */
  readonly level: 'ok' | 'warning' | 'error';
  readonly message: string;
  /** What to do about it. */
  readonly cure?: string;
}

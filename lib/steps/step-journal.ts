import type { Observable } from 'rxjs';
import type { EntityManager } from 'typeorm';
import { InvalidStepError } from '../errors/invalid-step.error.js';
import { LeaseLostError } from '../errors/lease-lost.error.js';
import { LONGEST_NAME, nameFault } from '../job/job-type.js';
import type { DueTime } from '../job/job.js';
import type { SavedStep, StepEnd, StepKind, StepPlace } from '../job/step.js';
import { awaited, untilAborted } from '../support/observables.js';
import { serialiseError } from '../support/serialise-error.js';
import { begin, endOf } from './end-of.js';
import { StepKeeper } from './step-keeper.js';
import type { StepOwner } from './step-owner.js';
import { Suspended, type Suspension } from './suspension.js';

export type StepWork<T> = (manager: EntityManager) => T | Promise<T> | Observable<T>;

/**
 * The steps of one claim. What is saved is answered, what is not is run and saved:
 *
 *     step: saved? ──► its result          sleep: over? ──► go on
 *       │ no                                 │ no
 *       └──► run ──► save ──► its result     └──► save ──► suspend
 *
 * Once it is suspended the attempt is over, whatever the handler makes of the error: no further step begins.
 */
export class StepJournal {
  private ended: Suspension | undefined;
  private loading: Promise<Map<string, SavedStep>> | undefined;
  private loadedAt = 0;
  private readonly used = new Set<string>();
  private readonly underWay = new Set<Promise<unknown>>();
  private parent = '';
  private count = 0;

  constructor(
    private readonly owner: StepOwner,
    private readonly keeper: StepKeeper,
  ) {}

  /** Why the attempt is over, if it is. */
  get suspension(): Suspension | undefined {
    return this.ended;
  }

  run<T>(name: string, work: StepWork<T>, transactional: boolean): Promise<unknown> {
    return this.begin(name, 'call', (place) => this.perform(place, work, transactional));
  }

  sleep(name: string, wake: DueTime): Promise<void> {
    return this.begin(name, 'sleep', (place) => this.rest(place, wake));
  }

  /** What is called from now on is called inside of this step, and has names of its own. */
  enter(parent: string): void {
    this.parent = parent;
    this.count = 0;
  }

  /** Nothing may begin any more: the attempt, or the claim, is over, or this node stops. */
  mayBegin(): void {
    if (this.owner.isAbandoned) throw new LeaseLostError('taken away');
    if (this.ended !== undefined) throw new Suspended();
    if (this.keeper.isStopping) this.suspend({ kind: 'release' });
  }

  async savedSteps(): Promise<SavedStep[]> {
    return [...(await this.saved()).values()];
  }

  /** Resolves when no step is under way any more: one that the handler did not wait for is saved too. */
  async settled(): Promise<void> {
    while (this.underWay.size > 0) await Promise.allSettled(this.underWay);
  }

  /** Of two sleeps side by side the shorter one counts: the handler then comes to the other one again. */
  suspend(suspension: Suspension): never {
    const { ended } = this;
    const isSooner = ended?.kind === 'sleep' && suspension.kind === 'sleep' && suspension.after < ended.after;
    if (ended === undefined || isSooner) this.ended = suspension;
    throw new Suspended();
  }

  private begin<T>(name: string, kind: StepKind, work: (place: StepPlace) => Promise<T>): Promise<T> {
    const begun = this.claimName(name, kind).then(work);
    const left = () => this.underWay.delete(begun);
    this.underWay.add(begun);
    begun.then(left, left);
    return begun;
  }

  private async claimName(name: string, kind: StepKind): Promise<StepPlace> {
    const fault = nameFault(name, LONGEST_NAME - this.parent.length - 1);
    if (fault !== undefined) throw new InvalidStepError(name, name, 'has a name that cannot be stored', fault);
    const { parent } = this;
    const full = parent === '' ? name : `${parent}/${name}`;
    if (this.used.has(full)) {
      const cure = 'Its saved result would be taken for both: give each step a name of its own, such as `mail ${id}`.';
      throw new InvalidStepError(name, name, 'has a name that was used before in this run', cure);
    }
    this.used.add(full);
    this.keeper.refuseInsideTransaction(name);
    const place = { name: full, kind, parent, place: ++this.count };
    const saved = (await this.saved()).get(full);
    if (saved !== undefined && saved.kind !== kind) {
      const cure = 'Code that ran before has used the name for something else: give this one another name.';
      throw new InvalidStepError(name, kind, `is saved as a ${saved.kind}`, cure);
    }
    if (this.ended !== undefined) throw new Suspended();
    return place;
  }

  private async perform<T>(place: StepPlace, work: StepWork<T>, transactional: boolean): Promise<unknown> {
    const saved = (await this.saved()).get(place.name);
    if (saved?.state === 'succeeded') return parse(saved.result);
    this.mayBegin();
    const begun = begin(place, saved?.attempts ?? 0);
    try {
      return await this.keeper.observed(this.owner, begun, () =>
        this.runAndSave(place, work, transactional, (result) => endOf(begun, { state: 'succeeded', result })),
      );
    } catch (error) {
      if (error instanceof Suspended || error instanceof LeaseLostError) throw error;
      const answer = await this.keeper.save(
        this.owner,
        endOf(begun, { state: 'failed', error: serialiseError(error) }),
      );
      if (answer !== 'succeeded before') throw error;
      // The answer to its commit was lost: it has been done.
      const now = await this.keeper.reload(this.owner);
      return parse(now.find(({ name }) => name === place.name)?.result);
    }
  }

  /** What it answers is what every later attempt will be answered: as JSON leaves it. */
  private async runAndSave<T>(
    { name }: StepPlace,
    work: StepWork<T>,
    transactional: boolean,
    success: (result: string | undefined) => StepEnd,
  ): Promise<unknown> {
    const { owner, keeper } = this;
    const perform = async (manager?: EntityManager) => {
      const returned = await untilAborted(work(manager as EntityManager), () => owner.signal);
      return keeper.serialise(name, 'result', await awaited(returned));
    };
    if (transactional) return parse(await keeper.transaction(owner, perform, success));
    const result = await perform();
    await keeper.save(owner, success(result));
    return parse(result);
  }

  private async rest(place: StepPlace, wake: DueTime): Promise<void> {
    const saved = (await this.saved()).get(place.name);
    const left =
      saved === undefined
        ? await this.keeper.sleep(this.owner, place, wake)
        : saved.left - (performance.now() - this.loadedAt);
    if (left > 0) this.suspend({ kind: 'sleep', after: Math.ceil(left) });
  }

  private saved(): Promise<Map<string, SavedStep>> {
    this.loading ??= this.load();
    return this.loading;
  }

  private async load(): Promise<Map<string, SavedStep>> {
    const steps = await this.keeper.load(this.owner);
    this.loadedAt = performance.now();
    return new Map(steps.map((step) => [step.name, step]));
  }
}

function parse(json: string | undefined): unknown {
  return json === undefined ? undefined : JSON.parse(json);
}

/** In milliseconds: however many ask, and however often, the database is asked once in that time. */
const SHARED_FOR = 1_000;

/**
 * An answer that everybody shares who asks for it while it is being found, and for a second after. Nobody asks again while nobody has
 * been answered: questions to a database that hangs would pile up, and take the connections of the jobs.
 */
export class Shared<T> {
  private answer: Promise<T> | undefined;
  private until = 0;

  constructor(private readonly find: () => Promise<T>) {}

  get(): Promise<T> {
    if (this.answer !== undefined && performance.now() < this.until) return this.answer;
    this.until = Infinity;
    this.answer = this.find();
    const found = () => (this.until = performance.now() + SHARED_FOR);
    this.answer.then(found, found);
    return this.answer;
  }
}

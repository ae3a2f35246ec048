import { Injectable, type CanActivate } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { PersistentQueueDashboardModule } from '../../lib/dashboard/index.js';
import { InvalidOptionError } from '../../lib/errors/invalid-option.error.js';
import { UnknownOptionError } from '../../lib/errors/unknown-option.error.js';

@Injectable()
class StaffGuard implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

const refused = (options: object): unknown => {
  try {
    return PersistentQueueDashboardModule.forRoot(options);
  } catch (error) {
    return error;
  }
};

describe('the options of the dashboard', () => {
  it('refuse to mount it for everybody unless that is said', () => {
    const error = refused({});
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as Error).message).toBe(
      'Option PersistentQueueDashboardModule.forRoot().guard cannot be used (got undefined). Give a guard (a CanActivate class) that ' +
        'knows who may see the jobs, or say `open: true` for everybody who reaches the application.',
    );
    expect(refused({ open: true })).toMatchObject({ module: PersistentQueueDashboardModule });
    expect(refused({ guard: StaffGuard })).toMatchObject({ module: PersistentQueueDashboardModule });
  });

  it.each<[name: string, options: object, cure: RegExp]>([
    ['open', { open: false }, /Give true, or leave it out and give a guard/],
    ['open', { open: true, guard: StaffGuard }, /either a guard or `open: true`, not both/],
    ['guard', { guard: 'StaffGuard' }, /Give a class with canActivate\(\)/],
    ['guard', { guard: () => true }, /Give a class with canActivate\(\)/],
    ['guard', { guard: new StaffGuard() }, /Give a class with canActivate\(\)/],
    ['guard', { guard: class {} }, /Give a class with canActivate\(\)/],
    ['path', { open: true, path: 'queues/:tenant' }, /without parameters/],
    ['path', { open: true, path: '*' }, /without parameters/],
    ['path', { open: true, path: '/' }, /without parameters/],
    ['path', { open: true, path: 7 }, /Give a string/],
    ['payloads', { open: true, payloads: true }, /'hidden' or 'shown'/],
    ['readOnly', { open: true, readOnly: 'no' }, /true or false/],
    ['redact', { open: true, redact: ['card'] }, /Give a function/],
    ['decorators', { open: true, decorators: 'public' }, /array of class decorators/],
  ])('refuse a wrong %s: %j', (name, options, cure) => {
    const error = refused(options);
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toMatchObject({
      option: `PersistentQueueDashboardModule.forRoot().${name}`,
      message: expect.stringMatching(cure),
    });
  });

  it('name the nearest option when there is none with a name', () => {
    const error = refused({ open: true, readonly: false });
    expect(error).toBeInstanceOf(UnknownOptionError);
    expect((error as Error).message).toMatch(/Did you mean 'readOnly'\?/);
  });
});

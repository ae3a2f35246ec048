// One cell of the table in a process of its own: forked by run.mjs, forks its workers.
import { attachStore } from './databases/index.mjs';
import { serve, tell } from './driver/serve.mjs';
import { Workers } from './driver/workers.mjs';
import { MEASURES } from './measures/index.mjs';
import { openSystem } from './systems/index.mjs';

serve(async (spec) => {
  const store = await attachStore(spec.database, spec.address);
  const workers = new Workers(spec);
  const producer = await openSystem(spec.system, store, spec.options);
  try {
    await producer.prepare();
    const { run } = await MEASURES[spec.measure]();
    tell({ name: 'figures', figures: await run({ ...spec, store, producer, workers }) });
  } finally {
    await workers.end();
    await producer.close();
    await store.close();
  }
});

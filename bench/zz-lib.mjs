import 'reflect-metadata';
import { openDatabase } from './databases/index.mjs';
import { once, EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import inspector from 'node:inspector/promises';
import { writeFileSync } from 'node:fs';
import { serverCpu } from '/tmp/lab/perf/cpu.mjs';
import { createRequire } from 'node:module';
const lib = await import('../dist/index.js');
const { NestFactory } = await import('@nestjs/core'); const { TypeOrmModule } = await import('@nestjs/typeorm');
const { JobHandler, JobQueue, PersistentQueueModule, PersistentQueue } = lib;
const [db, n='20000', rounds='3', conc, prof] = process.argv.slice(2);
const N=Number(n);
const database = await openDatabase(db);
const match = (cmd)=> db==='postgres'?cmd.startsWith('postgres'):/mariadbd|mysqld/.test(cmd);
for (let r=0;r<Number(rounds);r++) {
  const store = await database.create();
  const handled = new EventEmitter(); let left=N;
  class H {} ; const descriptor={ value: async ()=>void(--left===0&&handled.emit('all')), configurable:true, writable:true };
  Object.defineProperty(H.prototype,'h',descriptor); JobHandler('bench.job')(H.prototype,'h',descriptor);
  const app = await NestFactory.createApplicationContext({ module: class M {}, imports:[TypeOrmModule.forRoot(store.options), PersistentQueueModule.forRoot({ dataSource: store.options.name, synchronize:true, autoStart:false, ...(conc&&{concurrency:Number(conc)}) })], providers:[H] }, { logger:['error','warn'] });
  const q=app.get(JobQueue);
  for (let i=0;i<N;i+=1000) await q.enqueueMany('bench.job', Array.from({length:1000},(_,k)=>({payload:{orderId:i+k,note:'x'.repeat(175)}})));
  await sleep(300);
  let session; if (prof && r===Number(rounds)-1) { session=new inspector.Session(); session.connect(); await session.post('Profiler.enable'); await session.post('Profiler.setSamplingInterval',{interval:200}); await session.post('Profiler.start'); }
  const s0=serverCpu(match), u0=process.cpuUsage(), t0=performance.now();
  const all=once(handled,'all');
  await app.get(PersistentQueue).start();
  await all;
  const open = "SELECT id FROM pq_job WHERE service = 'default' AND state = 'running' LIMIT 1";
  while ((await store.query(open)).length>0) await sleep(1);
  const t=performance.now()-t0, u=process.cpuUsage(u0), s=serverCpu(match)-s0;
  if (session) { const {profile}=await session.post('Profiler.stop'); writeFileSync(prof, JSON.stringify(profile)); }
  console.log(`${db} lib: ${Math.round(N/t*1000)}/s srv ${(s*1000/N).toFixed(1)}µs cli ${((u.user+u.system)/N).toFixed(1)}µs`);
  await app.close(); await store.drop();
}
await database.stop(); process.exit(0);

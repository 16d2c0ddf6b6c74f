// A worker of a JavaScript library that has no command of its own: node worker.mjs <module> <concurrency>
const [name, concurrency] = process.argv.slice(2);
const { startWorker } = await import(`./${name}.mjs`);
await startWorker(process.env.BENCH_REDIS_URL, Number(concurrency));

/** Preloaded into the broker under test: at SIGUSR2 it collects what is garbage, and says how much is left. */
process.on('SIGUSR2', () => {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  process.stderr.write(`${JSON.stringify({ level: 30, leftBytes: heapUsed + external })}\n`);
});

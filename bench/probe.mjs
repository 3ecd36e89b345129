/**
 * Loaded into either kind of node before its own code, so that it can be asked over IPC what it has used.
 * It changes nothing else: the nodes run as they are.
 */
process.on('message', (question) => {
  if (question.probe === undefined) return;
  // Twice: the first collection may leave what only finalizers let go.
  if (question.collect) for (let times = 0; times < 2; times++) globalThis.gc();
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send({ probe: question.probe, cpuMs: (user + system) / 1000, rss, heap: heapUsed + external });
});
process.on('disconnect', () => process.exit());

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

const STOP_TIMEOUT_MS = 5_000;

const running = new Set<ChildProcess>();

/** Ends a child, paused or not, and waits until it is gone. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || hasEnded(child)) return;
  child.ref();
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  child.kill('SIGCONT');
  const overdue = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(overdue);
}

export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Ties a child's life to this process's, however this one ends. */
export function endWithParent(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (running.size === 0) process.on('exit', killRunning);
  running.add(child);
  const watcher = watchParent(child.pid);
  child.once('exit', () => {
    watcher.kill('SIGKILL');
    running.delete(child);
    if (running.size === 0) process.off('exit', killRunning);
  });
}

function killRunning(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** A parent that is killed runs no exit handler, but its end of the pipe closes. */
function watchParent(pid: number): ChildProcess {
  const script = 'cat > /dev/null; kill "$1"';
  const watcher = spawn('sh', ['-c', script, 'sh', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  watcher.on('error', () => {});
  watcher.stdin.on('error', () => {});
  (watcher.stdin as unknown as { unref(): void }).unref();
  watcher.unref();
  return watcher;
}

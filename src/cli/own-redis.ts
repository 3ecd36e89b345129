import { platform } from 'node:os';
import { findRedis } from '../embedded/find-redis.js';
import { CommandFailure, exitCodes } from './failure.js';

/** How each system gets a Redis, in the words that its users type. */
const installs: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: [
    'Debian, Ubuntu   sudo apt-get install redis-server',
    'Fedora, RHEL     sudo dnf install valkey',
    'Alpine           sudo apk add redis',
    'Arch             sudo pacman -S valkey',
  ],
  darwin: ['Homebrew         brew install redis'],
  win32: ['WSL              wsl --install, then in its shell: sudo apt-get install redis-server'],
};

/** The redis-server that a command runs as its own child. Throws CommandFailure with 69 where this computer has none. */
export async function ownRedis(): Promise<string> {
  const path = await findRedis({ onProgress: (line) => console.error(line) }).catch((fault: Error) => {
    throw new CommandFailure(fault.message, exitCodes.unavailable);
  });
  if (path !== undefined) return path;
  const lines = installs[platform()] ?? ['Install Redis 6.2 or newer, or Valkey.'];
  throw new CommandFailure(
    `This command runs a Redis of its own, and this computer has no redis-server (6.2 or newer).\n\n${lines
      .map((line) => `  ${line}`)
      .join('\n')}\n
Then try again. If it is installed outside the PATH, set SOLESEAT_REDIS_SERVER to its file.
To use a Redis elsewhere: REDIS_URL=redis://… soleseat serve`,
    exitCodes.unavailable,
  );
}

import { Desktop } from './desktop.js';

/** Another machine asks until the seat is free, and displaces nobody. */
export async function seatOnceFree(port: number, user: string, machine: string): Promise<Desktop> {
  for (;;) {
    const desktop = await Desktop.hello(port, user, machine, { onConflict: 'deny' });
    await desktop.until(() => desktop.received.length > 0 || desktop.closed !== null);
    if (desktop.find('welcome') !== undefined) return desktop;
    desktop.ws.terminate();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

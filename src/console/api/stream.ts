import { call, fromPage } from './client.js';

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 15_000;

export interface StreamHandlers {
  readonly onMessage: (data: unknown) => void;
  /** Whether the stream runs at present. What happened before it opened is not told: whoever needs that asks for it then. */
  readonly onState: (isOpen: boolean) => void;
}

/**
 * Follows server-sent events until the returned function is called. Reconnects by itself. While the page is hidden
 * the connection is given back: browsers open only six to one server, and a forgotten tab must not hold two of them.
 */
export function follow(path: string, type: string, handlers: StreamHandlers): () => void {
  let source: EventSource | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waitMs = FIRST_WAIT_MS;

  function open(): void {
    if (source !== null || document.hidden) return;
    const opened = new EventSource(fromPage(path));
    source = opened;
    opened.addEventListener('open', () => {
      waitMs = FIRST_WAIT_MS;
      handlers.onState(true);
    });
    opened.addEventListener(type, (event) => {
      handlers.onMessage(JSON.parse((event as MessageEvent<string>).data));
    });
    opened.addEventListener('error', () => {
      handlers.onState(false);
      // The browser retries a broken connection, but never one that was refused.
      if (opened.readyState !== EventSource.CLOSED) return;
      close();
      // An EventSource does not tell why. Where the token has ended, this answer does, and leads to the sign-in.
      call('GET', '/v1/admin/session').catch(() => {});
      timer = setTimeout(open, waitMs);
      waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS);
    });
  }

  function close(): void {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function onVisibility(): void {
    if (document.hidden) {
      close();
      handlers.onState(false);
    } else {
      open();
    }
  }

  document.addEventListener('visibilitychange', onVisibility);
  open();
  return () => {
    document.removeEventListener('visibilitychange', onVisibility);
    close();
  };
}

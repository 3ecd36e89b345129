import { fileURLToPath } from 'node:url';
import { app, BrowserWindow, ipcMain } from 'electron';

/** Opens the page in a window of Electron. */
export async function openWindow({ width, height }) {
  // Electron ends when the last window is closed, unless somebody else sees to it.
  app.on('window-all-closed', () => handle.onClosed());
  await app.whenReady();
  const preload = fileURLToPath(new URL('preload.cjs', import.meta.url));
  const window = new BrowserWindow({ width, height, autoHideMenuBar: true, webPreferences: { preload } });
  let last;
  const handle = {
    onOrder: () => {},
    onClosed: () => {},
    show(view) {
      last = view;
      if (!window.isDestroyed()) window.webContents.send('view', view);
    },
  };
  // The page says it when it has been loaded: what was sent before is lost.
  ipcMain.on('order', (_, order, text) =>
    order === 'ready' ? last && handle.show(last) : handle.onOrder(order, text),
  );
  await window.loadFile(fileURLToPath(new URL('page/index.html', import.meta.url)));
  return handle;
}

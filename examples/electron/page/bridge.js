// In a window of Chromium: what preload.cjs gives the page in Electron.
{
  const socket = new WebSocket(location.href.replace('http', 'ws'));
  const opened = new Promise((resolve) => socket.addEventListener('open', resolve));
  // Without its main process the window is of no use.
  socket.addEventListener('close', () => window.close());
  window.main = {
    say: (...order) => opened.then(() => socket.send(JSON.stringify(order))),
    onView: (show) => socket.addEventListener('message', ({ data }) => show(JSON.parse(data))),
  };
}

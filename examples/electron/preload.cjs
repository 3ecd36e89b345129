const { contextBridge, ipcRenderer } = require('electron');
const say = (order, text) => ipcRenderer.send('order', order, text);
const onView = (show) => ipcRenderer.on('view', (_, view) => show(view));
contextBridge.exposeInMainWorld('main', { say, onView });

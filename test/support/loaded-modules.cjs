const { writeFileSync } = require('node:fs');
const { Module } = require('node:module');

/** Preloaded into a node process: at SIGUSR2 it writes the files of the packages that it has loaded. */
process.on('SIGUSR2', () => {
  writeFileSync(process.env.LOADED_MODULES_FILE, `${Object.keys(Module._cache).join('\n')}\nend\n`);
});

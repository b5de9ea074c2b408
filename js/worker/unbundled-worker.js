/** The Worker for WASI commands, file by file, told where @bjorn3/browser_wasi_shim is: the option `shim`. */
import { serve } from './command.js';

/** @type {Promise<import('./command.js').Shim>} */
const loading = new Promise((resolve) =>
  self.addEventListener('message', ({ data }) => {
    if (data.type === 'prepare')
      resolve(import(/* webpackIgnore: true */ /* @vite-ignore */ data.shim));
  }),
);
loading.catch(() => {}); // a program that is to start is told
serve(loading);

/** The Worker for WASI commands. It runs as wasi-worker.js, one file that js/build.mk makes of this: the fewer, the sooner. */
import {
  Directory,
  Fd,
  File,
  OpenFile,
  PreopenDirectory,
  WASI,
  WASIProcExit,
} from '@bjorn3/browser_wasi_shim';
import { serve } from './command.js';

serve({ Directory, Fd, File, OpenFile, PreopenDirectory, WASI, WASIProcExit });

/** A page's project, as each bundler has it. Each answers the folder to serve. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as esbuild from 'esbuild';
import * as vite from 'vite';
import webpack from 'webpack';

/** @param {string} script */
const page = (script) => `<!doctype html><title>towline</title>${script}\n`;

/** @param {string} project */
export async function buildWithVite(project) {
  await vite.build({ root: project, configFile: false, logLevel: 'warn' });
  return join(project, 'dist');
}

/** Nothing is built: modules are served one by one, and those of packages bundled when they are first asked for. @param {string} project */
export async function serveWithVite(project) {
  const server = await vite.createServer({
    root: project,
    configFile: false,
    logLevel: 'warn',
    cacheDir: join(project, '.vite'),
    server: { host: '127.0.0.1', port: 0 },
  });
  await server.listen();
  const [address] = /** @type {vite.ResolvedServerUrls} */ (server.resolvedUrls).local;
  return { address, close: () => server.close() };
}

/** @param {string} project */
export async function buildWithWebpack(project) {
  const path = join(project, 'dist');
  const stats = await new Promise((resolve, reject) => {
    const compiler = webpack({
      mode: 'production',
      context: project,
      entry: './app.js',
      output: { path },
    });
    compiler?.run((error, result) =>
      compiler.close(() => (error ? reject(error) : resolve(result))),
    );
  });
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  await writeFile(join(path, 'index.html'), page('<script src="main.js"></script>'));
  return { path, complaints: [...errors, ...warnings].map(({ message }) => message) };
}

/** It follows no `new URL('./file', import.meta.url)`: each of these files is an entry of its own. @param {string} project */
export async function buildWithEsbuild(project) {
  const path = join(project, 'dist');
  await mkdir(path);
  const { errors, warnings } = await esbuild.build({
    absWorkingDir: project,
    entryPoints: {
      app: './app.js',
      echo: './echo.wasm',
      cat: './cat.wasm',
      script: 'towline/script.wasm',
      'wasi-worker': 'towline/wasi-worker.js',
    },
    loader: { '.wasm': 'copy' },
    bundle: true,
    minify: true,
    format: 'esm',
    outdir: path,
    logLevel: 'silent',
  });
  await writeFile(join(path, 'index.html'), page('<script type="module" src="app.js"></script>'));
  return { path, complaints: [...errors, ...warnings].map(({ text }) => text) };
}

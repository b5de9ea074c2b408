// node src/docs/entries.js FOLDER: a file for each entry of package.json's "exports", called as it is imported
// ("towline/webrtc"), of what Node is given there: TypeDoc's modules. FOLDER/types has the types.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

const folder = process.argv[2];
const { name, exports } = JSON.parse(await readFile('package.json', 'utf8'));
await rm(join(folder, 'entries'), { recursive: true, force: true });
for (const [entry, conditions] of Object.entries(exports)) {
  const types = conditions.node?.types ?? conditions.types;
  if (!types) continue;
  const file = join(folder, 'entries', `${join(name, entry)}.d.ts`);
  const source = join(folder, 'types', relative('js/types', types)).replace(/\.d\.ts$/, '.js');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `export * from './${relative(dirname(file), source)}';\n`);
}

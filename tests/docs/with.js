/** A block for a shell, with files of the project's beside it. */
const files = {
  'echo.c': 'demo/echo.c',
  'client.c': 'tests/install/network.c',
};

/** @param {import('./example.js').Example} example */
export default async function withFiles(example) {
  for (const [name, path] of Object.entries(files)) await example.link(path, name);
  await example.write('example.sh');
  return example.run(...example.shell);
}

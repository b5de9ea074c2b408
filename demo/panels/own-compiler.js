/** The server's compiler, where it has one: C files to a module. */

/**
 * @param {string} token that the server has given to its page
 * @param {{name: string, text: string}[]} files
 */
export async function compiled(token, files) {
  const response = await fetch('/compile', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Towline-Token': token },
    body: JSON.stringify({ files }),
  });
  if (response.headers.get('content-type') === 'application/wasm')
    return new Uint8Array(await response.arrayBuffer());
  const { error } = await response.json();
  throw new Error(error);
}

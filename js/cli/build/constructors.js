/**
 * Names of functions that a source declares as `tow_protocol *NAME(tow_loop *loop, void *context)`. What is written so in
 * code that is left out, or is static, the linker does not find: so these are candidates.
 * @param {string} source
 */
export function constructorsIn(source) {
  const code = source.replace(
    /\/\*.*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/gs,
    (text) => (text[0] === '/' ? ' ' : '""'),
  );
  const declaration =
    /\btow_protocol\s*\*\s*([A-Za-z_]\w*)\s*\(\s*(?:struct\s+)?tow_loop\s*\*\s*\w*\s*,\s*void\s*\*\s*\w*\s*\)/g;
  return [...code.matchAll(declaration)].map(([, name]) => name);
}

/**
 * What Node says of a failure, in Towline's words. A name that Towline has not is left to the module, which makes it
 * EUNKNOWN; what ws and Node's HTTP parser complain of is the peer's fault.
 * @param {any} error
 * @returns {{code: string, native: number, message: string}}
 */
export function fromNode(error) {
  const all = error?.errors ?? []; // one for each address that was tried
  const code = String(error?.code ?? all[0]?.code ?? '');
  const message = [error?.message, ...all.map((/** @type {Error} */ one) => one.message)]
    .filter(Boolean)
    .join('; ');
  const native = Math.abs(error?.errno ?? all[0]?.errno ?? 0);
  if (code === '' || /^(WS_|HPE_)/.test(code)) return { code: 'EPROTO', native, message };
  if (code.startsWith('EAI_')) return { code: 'ENOTFOUND', native, message };
  return { code, native, message };
}

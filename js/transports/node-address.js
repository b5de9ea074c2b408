/** How many connections may wait to be accepted, unless that is said. */
export const BACKLOG = 100;

/** 'tcp://[::1]:80' as {host: '::1', port: 80}. Throws if it is no such address. @param {string} address */
export function parseHostPort(address) {
  const parts = /^[a-z]+:\/\/(?:\[([^\]]+)\]|([^:/?#[\]@]+)):(\d{1,5})$/.exec(address);
  const port = Number(parts?.[3]);
  if (!parts || port > 65535) throw new Error(`not an address: ${address}`);
  return { host: parts[1] ?? parts[2], port };
}

/** @param {string} host @param {number} port */
export const hostPort = (host, port) =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

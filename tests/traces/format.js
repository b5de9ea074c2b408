/**
 * From the raw lines of a trace to the normalised ones that are compared (README.md, "The normalised trace").
 */
import { createHash } from 'node:crypto';

/**
 * A line of a trace: one call, result or report.
 * @typedef {Record<string, any>} Line
 * @typedef {Record<string, any>} Scenario
 */

const BLOCK = 65536;
/** The pattern's blocks that were asked for; after 256 of them it begins again. @type {Buffer[]} */
const blocks = [];

/** @param {number} index */
function block(index) {
  blocks[index] ??= Buffer.from(
    Uint8Array.from({ length: BLOCK }, (_, i) => i * 131 + (i >> 8) * 17 + index * 29 + 7),
  );
  return blocks[index];
}

/**
 * Byte i of a direction's payload, for `size` bytes from `offset` on.
 * @param {number} offset
 * @param {number} size
 */
export function pattern(offset, size) {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; ) {
    const index = Math.floor((offset + at) / BLOCK) % 256;
    at += block(index).copy(bytes, at, (offset + at) % BLOCK);
  }
  return bytes;
}

/** @param {Buffer} bytes */
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** @param {Line} line */
const bytesOf = (line) => Buffer.from(line.hex, 'hex');

/**
 * The line with n and a hash in the place of its bytes.
 * @param {Line} line
 */
export function hashed(line) {
  if (!('hex' in line)) return line;
  const { hex: _, ...rest } = line;
  const bytes = bytesOf(line);
  return { ...rest, n: bytes.length, sha256: sha256(bytes) };
}

const DATA = new Set(['data_received', 'buffer_updated', 'pipe_data_received']);
const FLOW = new Set(['pause_writing', 'resume_writing']);

/**
 * Neighbouring data of one protocol and descriptor as one line; get_buffer is left out.
 * @param {Line[]} lines
 */
function joined(lines) {
  /** @type {Line[]} */
  const out = [];
  /** @type {{ p: any, fd: any, chunks: Buffer[] } | undefined} */
  let open;
  const flush = () => {
    if (!open) return;
    const bytes = Buffer.concat(open.chunks);
    /** @type {Line} */
    const line = { cb: 'data', n: bytes.length, sha256: sha256(bytes) };
    if (open.p !== undefined) line.p = open.p;
    if (open.fd !== undefined) line.fd = open.fd;
    out.push(line);
    open = undefined;
  };
  for (const line of lines) {
    if (line.cb === 'get_buffer') continue;
    if (!DATA.has(line.cb)) {
      flush();
      out.push(hashed(line));
      continue;
    }
    if (open && (open.p !== line.p || open.fd !== line.fd)) flush();
    open ??= { p: line.p, fd: line.fd, chunks: [] };
    open.chunks.push(bytesOf(line));
  }
  flush();
  return out;
}

/**
 * How much write_until_paused wrote is the kernel's affair: only whether all of it came.
 * @param {Line[]} lines
 */
function withoutTotals(lines) {
  const written = lines.filter((line) => line.op === 'write_until_paused');
  if (written.length === 0) return lines;
  const total = written.reduce((sum, line) => sum + line.ret, 0);
  return lines
    .filter((line) => line.op !== 'write_until_paused')
    .map((line) => {
      if (line.peer !== 'report') return line;
      const { hex: _, ...rest } = line;
      const bytes = bytesOf(line);
      const n = bytes.length === total ? 'all' : bytes.length ? 'part' : 0;
      return { ...rest, n, pattern: bytes.equals(pattern(0, bytes.length)) };
    });
}

/**
 * A child's descriptors and its exit come in no fixed order: one is made, and flow control is judged apart.
 * @param {Line[]} lines
 */
function canonicalSubprocess(lines) {
  /** @param {...string} names */
  const calls = (...names) => lines.filter((line) => names.includes(line.cb));
  const known = new Set([
    'connection_made',
    'pipe_data_received',
    'pipe_connection_lost',
    'process_exited',
    'connection_lost',
    ...FLOW,
  ]);
  const out = calls('connection_made');
  const onPipes = calls('pipe_data_received', 'pipe_connection_lost');
  for (const fd of [...new Set(onPipes.map((line) => line.fd))].sort()) {
    const data = calls('pipe_data_received').filter((line) => line.fd === fd);
    const bytes = Buffer.concat(data.map(bytesOf));
    if (bytes.length) out.push({ cb: 'data', n: bytes.length, sha256: sha256(bytes), fd });
    out.push(...calls('pipe_connection_lost').filter((line) => line.fd === fd));
  }
  out.push(...calls('process_exited'));
  const flow = calls(...FLOW);
  if (flow.length) {
    const inTurn = flow.every((line, i) => line.cb === [...FLOW][i % 2]);
    out.push({ flow: inTurn && flow.length % 2 === 0 ? 'paired' : 'unpaired' });
  }
  return [...out, ...calls('connection_lost'), ...lines.filter((line) => !known.has(line.cb))];
}

/**
 * @param {Line[]} raw
 * @param {Scenario} scenario
 * @returns {Line[]}
 */
export function normalise(raw, scenario) {
  let lines = raw.filter((line) => !('loop' in line || 'listening' in line || 'log' in line));
  const violated = violations(lines, scenario);
  const isSubprocess = scenario.kind === 'subprocess';
  /** @type {string[]} */
  const same = scenario.exc_equiv ?? [];
  lines = lines.map((line) => (same.includes(line.exc) ? { ...line, exc: same.join('|') } : line));
  if (scenario.drive !== 'mem' && !isSubprocess && scenario.flow !== 'ordered') {
    lines = lines.filter((line) => !FLOW.has(line.cb));
  }
  lines = withoutTotals(lines);
  if (scenario.kind === 'feed') return [...lines.map(hashed), ...violated];
  if (isSubprocess && !scenario.strict_order) return [...canonicalSubprocess(lines), ...violated];
  lines = joined(lines);
  if (scenario.drive !== 'mem') {
    // The peer's own record has no order among the callbacks.
    const isPeer = (/** @type {Line} */ line) => 'peer' in line;
    lines = [...lines.filter((line) => !isPeer(line)), ...lines.filter(isPeer)];
  }
  return [...lines, ...violated];
}

/**
 * The protocols' state machines, run over the raw lines: each rule broken, once, in the order found.
 * @param {Line[]} lines
 * @param {Scenario} scenario
 * @returns {Line[]}
 */
export function violations(lines, scenario) {
  const { kind, drive } = scenario;
  const isFeed = kind === 'feed';
  /** @type {Set<string>} */
  const broken = new Set();
  /** @type {Record<string, number>} */
  const calls = {};
  /** @type {number | null} */
  let lent = null;
  const paused = new Set();
  const pipes = new Set();
  const lostPipes = new Set();
  /** @type {(rule: string, isBroken: boolean) => void} */
  const never = (rule, isBroken) => {
    if (isBroken) broken.add(rule);
  };
  /** @param {string} name */
  const seen = (name) => calls[name] ?? 0;

  /** @type {Record<string, (line: Line) => void>} */
  const rules = {
    connection_lost() {
      if (kind !== 'subprocess') return;
      never('connection_lost-before-process_exited', !seen('process_exited'));
      never(
        'connection_lost-before-pipe_connection_lost',
        [...pipes].some((fd) => !lostPipes.has(fd)),
      );
    },
    data_received(line) {
      never('data-after-eof_received', !isFeed && seen('eof_received') > 0);
      never('data_received-empty', line.hex.length === 0);
    },
    buffer_updated(line) {
      never('data-after-eof_received', !isFeed && seen('eof_received') > 0);
      never('buffer_updated-without-get_buffer', lent === null);
      never('buffer_updated-larger-than-buffer', lent !== null && line.n > lent);
      never('buffer_updated-nonpositive', line.n <= 0);
      lent = null;
    },
    get_buffer(line) {
      never('get_buffer-bad-sizehint', line.hint !== -1 && line.hint <= 0);
      never('get_buffer-hint-not-any', drive === 'mem' && !isFeed && line.hint !== -1);
      lent = line.ret;
    },
    pause_writing(line) {
      never('pause_writing-twice', paused.has(line.p));
      paused.add(line.p);
    },
    resume_writing(line) {
      never('resume_writing-without-pause', !paused.has(line.p));
      paused.delete(line.p);
    },
    pipe_data_received(line) {
      pipes.add(line.fd);
      never('pipe_data-after-pipe_connection_lost', lostPipes.has(line.fd));
    },
    pipe_connection_lost(line) {
      pipes.add(line.fd);
      never('pipe_connection_lost-twice', lostPipes.has(line.fd));
      lostPipes.add(line.fd);
    },
  };
  const once = ['connection_made', 'connection_lost', 'eof_received', 'process_exited'];

  for (const line of lines) {
    const name = line.cb;
    if (name === undefined) continue;
    never(
      'callback-before-connection_made',
      name !== 'connection_made' && !seen('connection_made') && !isFeed,
    );
    never(
      'callback-after-connection_lost',
      name !== 'connection_lost' && seen('connection_lost') > 0,
    );
    calls[name] = seen(name) + 1;
    never(`${name}-twice`, once.includes(name) && calls[name] > 1);
    rules[name]?.(line);
  }
  return [...broken].map((violation) => ({ violation }));
}

/** @param {unknown} word */
const isErrno = (word) => typeof word === 'string' && /^E[A-Z0-9]+$/.test(word);

/**
 * Null is only null, an errno's name only itself (or one of the names joined), any other word any error.
 * @param {string | null} want
 * @param {string | null} have
 */
function sameError(want, have) {
  if (want === null || have === null) return want === have;
  const names = want.split('|');
  return !names.every(isErrno) || want === have || names.includes(have);
}

/**
 * @param {Line[]} want
 * @param {Line[]} have
 */
export function matches(want, have) {
  /** @type {(w: Line, h: Line) => boolean} */
  const sameLine = (w, h) =>
    Object.keys(w).length === Object.keys(h).length &&
    Object.keys(w).every((key) =>
      key === 'exc' || key === 'raised'
        ? key in h && sameError(w[key], h[key])
        : JSON.stringify(w[key]) === JSON.stringify(h[key]),
    );
  return want.length === have.length && want.every((line, i) => sameLine(line, have[i]));
}

/**
 * One line a call, keys in order, for showing what differs.
 * @param {Line[]} lines
 */
export const show = (lines) =>
  lines.map((line) =>
    JSON.stringify(Object.fromEntries(Object.entries(line).sort(([a], [b]) => (a < b ? -1 : 1)))),
  );

/**
 * A trace in words, one short line a call: "data 10", "connection_lost ECONNRESET", "2: pause_writing",
 * "is_closing true", "write raised TOW_ESHUTDOWN", "peer got 100, eof"; "fd 1: data 10" of a child's descriptor.
 */
import { createHash } from 'node:crypto';
import { hashed, normalise, pattern } from '../traces/format.js';

/**
 * @typedef {import('../traces/format.js').Line} Line
 * @typedef {import('../traces/format.js').Scenario} Scenario
 */

/** @param {Buffer} bytes */
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/**
 * How many bytes, if they are the direction's own.
 * @param {Line} line
 * @param {number} offset
 */
function amount(line, offset) {
  const isRight = line.pattern ?? sha256(pattern(offset, line.n)) === line.sha256;
  return isRight ? `${line.n}` : `${line.n} wrong`;
}

/** What the loop's handlers were told has a place among the calls here. @param {Line} line */
const kept = ({ loop, ...line }) => (loop ? { ...line, told: loop } : line);

/**
 * Of an exact scenario every call is shown as it came.
 * @param {Line[]} raw
 * @param {Scenario} scenario
 */
export function show(raw, scenario) {
  /** @type {string[]} */
  const same = scenario.exc_equiv ?? [];
  /** How far each direction's pattern has come. @type {Record<string, number>} */
  const offsets = {};
  /**
   * @param {string} direction
   * @param {Line} line
   */
  const next = (direction, line) => {
    const offset = offsets[direction] ?? 0;
    offsets[direction] = offset + line.n;
    return amount(line, offset);
  };
  /** @param {Line} line */
  const result = ({ ret, raised }) =>
    raised ? `raised ${same.includes(raised) ? same.join('|') : raised}` : JSON.stringify(ret);
  /** @param {Line} line */
  const words = (line) => {
    if (line.cb === 'data') {
      return `data ${next(`from ${line.fd ?? 'peer'}`, line)}`;
    }
    if (line.cb === 'datagram_received') return `${line.cb} ${next('from peer', line)}`;
    if (line.flow) return `flow ${line.flow}`;
    if (line.peer === 'datagram') return `peer got a datagram of ${next('to peer', line)}`;
    if (line.cb === 'get_buffer') return `get_buffer ${line.hint}`;
    if (line.cb === 'buffer_updated') return `buffer_updated ${line.n}`;
    if (line.cb) return line.exc ? `${line.cb} ${line.exc}` : line.cb;
    if (line.told) return line.told === 'exception' ? `reported ${line.callback}` : 'warning';
    if (line.op === 'mark') return `mark ${line.label}`;
    if (line.op) return `${line.op} ${result(line)}`;
    if (line.peer === 'report')
      return `peer got ${amount(line, 0)}${line.end === 'open' ? '' : `, ${line.end}`}`;
    return JSON.stringify(line);
  };
  const lines = scenario.exact
    ? raw.map((line) => hashed(kept(line)))
    : normalise(raw.map(kept), scenario);
  /** @param {Line} line */
  const whose = ({ p, fd }) => (p ? `${p}: ` : fd === undefined ? '' : `fd ${fd}: `);
  return lines.map((line) => whose(line) + words(line));
}

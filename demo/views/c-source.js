/** C source, as far as it must be understood to be shown: its functions, and which of them the loop calls. */
import { CALLS } from './calls.js';

/** @typedef {{name: string, first: number, last: number}} CFunction lines, from 0 */

/** The functions that are defined: a line that begins one, to the next line that is '}'. @param {string[]} lines */
export function functionsIn(lines) {
  /** @type {CFunction[]} */
  const functions = [];
  for (let first = 0; first < lines.length; first++) {
    const name = /^[a-z][\w \t*]*?[ *](\w+)\([^;]*$/.exec(lines[first])?.[1];
    if (!name || lines[first].startsWith('typedef')) continue;
    const open = lines.findIndex((line, at) => at >= first && /[{;]\s*$/.test(line));
    if (open < 0 || lines[open].trimEnd().endsWith(';')) continue;
    const last = lines.findIndex((line, at) => at > open && line.startsWith('}'));
    if (last < 0) continue;
    functions.push({ name, first, last });
    first = last;
  }
  return functions;
}

/** Which function is which call, by the table of callbacks: `.get_buffer = fill`. @param {string} text */
export function callbacksIn(text) {
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const [name, { callback }] of Object.entries(CALLS)) {
    const written = new RegExp(`\\.${callback}\\s*=\\s*(\\w+)`).exec(text)?.[1];
    if (written) found.set(name, written);
  }
  return found;
}

const TOKENS =
  /(?<comment>\/\*[\s\S]*?\*\/|\/\/.*)|(?<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?<directive>^[ \t]*#.*)|(?<word>\b(?:const|static|struct|enum|typedef|union|void|int|char|bool|double|float|long|short|unsigned|signed|size_t|ptrdiff_t|u?int\d+_t|return|if|else|for|while|do|switch|case|break|continue|default|sizeof|NULL|true|false)\b)|(?<number>\b\d[\w.]*)/gm;

/** Pieces of text and what they are; '' for the rest. @param {string} text @returns {[kind: string, text: string][]} */
export function tokens(text) {
  /** @type {[string, string][]} */
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(TOKENS)) {
    if (match.index > end) pieces.push(['', text.slice(end, match.index)]);
    const [kind] = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? [
      '',
    ];
    pieces.push([kind, match[0]]);
    end = match.index + match[0].length;
  }
  pieces.push(['', text.slice(end)]);
  return pieces;
}

// What the demo's page understands of C: enough to light the function that runs.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { callbacksIn, functionsIn, tokens } from '../../demo/views/c-source.js';

const read = (/** @type {string} */ name) =>
  readFile(new URL(`../../demo/${name}`, import.meta.url), 'utf8');

test('the functions of a file, from their first line to their last', () => {
  const lines = [
    'int declared(void);',
    'typedef int (*type)(int);',
    'static const char *text(int a,',
    '                        int b) {',
    '  if (a) {',
    '    return 0;',
    '  }',
    '}',
    'struct not_one {',
    '  int (*callback)(void);',
    '};',
    'static const table callbacks = {.base = {.size = sizeof(table)}};',
    'tow_protocol *echo_new(tow_loop *loop, void *context) {',
    '}',
  ];
  assert.deepEqual(functionsIn(lines), [
    { name: 'text', first: 2, last: 7 },
    { name: 'echo_new', first: 12, last: 13 },
  ]);
});

test("in the panels' sources each callback of the table, and what the page asks for, is found", async () => {
  for (const file of ['stream.c', 'echo.c', 'mqtt.c', 'netcode.c']) {
    const text = await read(file);
    const names = functionsIn(text.split('\n')).map(({ name }) => name);
    const callbacks = [...callbacksIn(text).values()];
    assert.ok(callbacks.length >= 5, file);
    for (const name of callbacks) assert.ok(names.includes(name), `${name} in ${file}`);
  }
  const header = (await read('stream.h')).matchAll(/\b(stream_\w+)\(/g);
  const names = functionsIn((await read('stream.c')).split('\n')).map(({ name }) => name);
  for (const [, name] of header) assert.ok(names.includes(name), name);
});

test('tokens are the text, in pieces', async () => {
  const text = await read('stream.c');
  const pieces = tokens(text);
  assert.equal(pieces.map(([, piece]) => piece).join(''), text);
  assert.deepEqual(
    tokens('#include "a.h"\nint x = 0x1f; /* "a" */ char c = \'"\';').filter(([kind]) => kind),
    [
      ['directive', '#include "a.h"'],
      ['word', 'int'],
      ['number', '0x1f'],
      ['comment', '/* "a" */'],
      ['word', 'char'],
      ['text', "'\"'"],
    ],
  );
});

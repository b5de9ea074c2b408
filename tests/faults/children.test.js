// Children that do not do what is hoped for, and those that cannot be started.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hosts, Subject } from './subject.js';

const SIGKILL = 9;
const SIGTERM = 15;

/** Whether there is such a process, or a zombie of it. @param {number} pid */
function lives(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

for (const [host, command] of Object.entries(hosts)) {
  /** @param {import('node:test').TestContext} t @param {string} script */
  const shell = async (t, script) => {
    const subject = await Subject.start(t, command);
    subject.send(`shell ${script}`);
    const { pid } = await subject.when(1, 'made');
    t.after(() => lives(pid) && process.kill(pid, SIGKILL));
    return { subject, pid };
  };
  const options = { timeout: 120_000 };
  const done = { memory: 0, status: 0 };

  test(
    `a child ignores SIGTERM, and runs on until SIGKILL [X5, X7]: ${host}`,
    options,
    async (t) => {
      const { subject, pid } = await shell(t, `trap "" TERM; echo ready; exec cat`);
      await subject.received(1, 6);
      subject.send(`signal 1 ${SIGTERM}`);
      subject.send('pipe 1 0 write 1000');
      await subject.received(1, 1006);
      assert.ok(lives(pid));
      subject.send(`signal 1 ${SIGKILL}`);
      assert.equal((await subject.when(1, 'exited')).returncode, -SIGKILL);
      assert.equal((await subject.when(1, 'lost')).code, '');
      assert.ok(!lives(pid));
      assert.deepEqual(await subject.end(), done);
    },
  );

  test(
    `the subject ends while a child ignores SIGTERM: no process is left [X7, T5]: ${host}`,
    options,
    async (t) => {
      const { subject, pid } = await shell(t, `trap "" TERM; echo ready; exec cat`);
      await subject.received(1, 6);
      assert.deepEqual(await subject.end(), done);
      assert.ok(!lives(pid));
      assert.equal((await subject.when(1, 'exited')).returncode, -SIGKILL);
      assert.equal((await subject.when(1, 'lost')).code, '');
    },
  );

  test(
    `a grandchild holds the output: connection_lost waits for it [X3, X4]: ${host}`,
    options,
    async (t) => {
      const { subject } = await shell(t, 'exec 3<&0; cat <&3 2>&- & exit 3');
      assert.equal((await subject.when(1, 'exited')).returncode, 3);
      subject.send('pipe 1 0 write 10');
      await subject.received(1, 10);
      assert.ok(!subject.calls(1).includes('lost'));
      subject.send('pipe 1 0 close');
      assert.equal((await subject.when(1, 'lost')).code, '');
      assert.equal(subject.calls(1).filter((name) => name === 'pipe lost').length, 3);
      assert.deepEqual(await subject.end(), done);
    },
  );

  test(
    `a grandchild holds the output, and close does not wait for it [X7]: ${host}`,
    options,
    async (t) => {
      const { subject } = await shell(t, 'exec 3<&0; cat <&3 2>&- & exit 3');
      await subject.when(1, 'exited');
      subject.send('close 1');
      assert.equal((await subject.when(1, 'lost')).code, '');
      assert.equal(subject.calls(1).filter((name) => name === 'pipe lost').length, 3);
      assert.deepEqual(await subject.end(), done);
    },
  );

  test(
    `a child fills its stderr while nobody reads: it waits, nothing is lost [R1, X2]: ${host}`,
    options,
    async (t) => {
      const size = 20_000_000;
      const script = `read x; echo begun; head -c ${size} /dev/zero >&2; echo done`;
      const { subject } = await shell(t, script);
      subject.send('pipe 1 2 pause');
      subject.send('pipe 1 0 line');
      await subject.received(1, 6);
      const peak = subject.peak;
      for (let turns = 0; turns < 50; turns++) await subject.stats();
      assert.deepEqual(subject.calls(1), ['made']);
      const grown = subject.peak - peak;
      t.diagnostic(`${grown} KiB`);
      assert.ok(grown < 8192, `${grown} KiB more memory`); // of 20 MB
      subject.send('pipe 1 2 resume');
      assert.equal((await subject.when(1, 'exited')).returncode, 0);
      await subject.when(1, 'lost');
      await subject.when(1, 'data', ({ fd, received }) => fd === 1 && received === 11);
      await subject.when(1, 'data', ({ fd, received }) => fd === 2 && received === size);
      assert.deepEqual(await subject.end(), done);
    },
  );

  test(
    `a child dies with input queued: the pipe's loss says so [X8]: ${host}`,
    options,
    async (t) => {
      const { subject } = await shell(t, 'read x; exit 2');
      subject.send('pipe 1 0 line');
      subject.send('pipe 1 0 write 1000000');
      const lost = await subject.when(1, 'pipe lost', ({ fd }) => fd === 0);
      assert.equal(lost.code, 'EPIPE');
      assert.equal((await subject.when(1, 'lost')).code, '');
      assert.equal((await subject.when(1, 'exited')).returncode, 2);
      assert.deepEqual(await subject.end(), done);
    },
  );

  test(
    `what cannot be started is the request's error, and others run on [X9]: ${host}`,
    options,
    async (t) => {
      const { subject } = await shell(t, 'exec cat');
      const folder = await mkdtemp(join(tmpdir(), 'towline-'));
      t.after(() => rm(folder, { recursive: true }));
      await writeFile(join(folder, 'plain'), 'no program', { mode: 0o644 });
      const { memory, handles } = await subject.stats();
      const { descriptors } = subject;
      const cases = [
        { run: '/nonexistent/program 0', code: 'ENOENT', native: 2 },
        { run: 'no-program-of-this-name 0', code: 'ENOENT', native: 2 },
        { run: `${folder}/plain 0`, code: 'EACCES', native: 13 },
        { run: '/ 0', code: 'EACCES', native: 13 },
        { run: '/bin/cat 3000000', code: 'E2BIG', native: 7 },
      ];
      for (const { run, code, native } of cases) {
        const refused = await subject.ask(`run ${run}`, 0, 'refused');
        assert.deepEqual([refused.code, refused.native], [code, native], run);
      }
      const rested = await subject.rest(handles);
      if (host === 'native') assert.equal(rested.memory, memory);
      while (subject.descriptors > descriptors) await subject.stats();
      subject.send('pipe 1 0 write 10');
      await subject.received(1, 10);
      assert.deepEqual(subject.calls(1), ['made']);
      assert.deepEqual(await subject.end(), done);
    },
  );
}

#!/usr/bin/env python3
"""What asyncio makes of scenarios of drive "mem" (tests/traces/README.md): one JSON object a line comes in; the raw lines
of its trace go out, and {"log": "end"} after them. The Python must be a 3.11: reference.py mends that one."""

import asyncio
import asyncio.protocols
import collections
import errno
import json
import logging
import sys

import reference
import stage

PEER = 'peer'
BLOCK = 65536
_blocks = {}


def pattern(offset, size):
    """The payload's bytes from `offset` on: byte i is (i*131 + (i>>8)*17 + (i>>16)*29 + 7) & 255."""
    parts = []
    while size > 0:
        index, start = divmod(offset, BLOCK)
        index %= 256
        if index not in _blocks:
            _blocks[index] = bytes((i * 131 + (i >> 8) * 17 + index * 29 + 7) & 255 for i in range(BLOCK))
        part = _blocks[index][start:start + size]
        parts.append(part)
        offset += len(part)
        size -= len(part)
    return b''.join(parts)


class Payload:
    """One direction's: the offset runs on."""

    def __init__(self):
        self._offset = 0

    def take(self, size):
        self._offset += size
        return pattern(self._offset - size, size)

    def of(self, step):
        return step['text'].encode() if 'text' in step else self.take(step['n'])


class Failure(Exception):
    """What a callback raises."""

    callback = None


def error_name(exc):
    if isinstance(exc, OSError) and exc.errno:
        return errno.errorcode[exc.errno]
    return exc and type(exc).__name__


def os_error(name):
    return name and OSError(getattr(errno, name), name)


class Recorder:
    """The recording protocol: each callback prints its line, then does what the scenario has for this call of it."""

    def __init__(self, play, script, second):
        self._play = play
        self._script = script
        self._triggers = collections.defaultdict(list)
        for key, steps in script.get('on', {}).items():
            callback, _, nth = key.partition('#')
            self._triggers[callback, int(nth or 1)] += steps
        self._mark = {'p': 2} if second else {}
        self._calls = collections.Counter()
        self._gets = 0

    def _line(self, name, **values):
        self._play.emit({'cb': name, **values, **self._mark})

    def _act(self, name):
        self._calls[name] += 1
        for step in self._triggers.get((name, self._calls[name]), ()):
            try:
                self._play.proto(step)
            except Failure as failure:
                failure.callback = failure.callback or name
                raise

    def _simple(self, name, **values):
        self._line(name, **values)
        self._act(name)

    def connection_made(self, transport):
        self._play.transport = transport
        self._simple('connection_made')

    def connection_lost(self, exc):
        self._simple('connection_lost', exc=error_name(exc))

    def pause_writing(self):
        self._play.writing_paused = True
        self._simple('pause_writing')

    def resume_writing(self):
        self._play.writing_paused = False
        self._simple('resume_writing')

    def eof_received(self):
        self._simple('eof_received')
        return self._script.get('eof_returns')


class StreamRecorder(Recorder, asyncio.Protocol):
    def data_received(self, data):
        self._simple('data_received', hex=data.hex())


class BufferedRecorder(Recorder, asyncio.BufferedProtocol):
    def get_buffer(self, sizehint):
        sizes = self._script.get('buffer_sizes') or [BLOCK]
        size = sizes[min(self._gets, len(sizes) - 1)]
        self._gets += 1
        self._buffer = buffer = bytearray(size)
        self._simple('get_buffer', hint=sizehint, ret=size)
        return memoryview(buffer)

    def buffer_updated(self, size):
        self._simple('buffer_updated', n=size, hex=self._buffer[:size].hex())


class DatagramRecorder(Recorder, asyncio.DatagramProtocol):
    def datagram_received(self, data, address):
        self._simple('datagram_received', hex=data.hex())

    def error_received(self, exc):
        self._simple('error_received', exc=error_name(exc))


RECORDERS = {
    'stream': StreamRecorder,
    'buffered': BufferedRecorder,
    'feed': BufferedRecorder,
    'datagram': DatagramRecorder,
}


class Play:
    """One scenario."""

    def __init__(self, scenario, emit):
        self.emit = emit
        self.transport = None
        self.writing_paused = False
        self._scenario = scenario
        self._written, self._fed = Payload(), Payload()
        kind, second = scenario['kind'], scenario.get('proto2')
        self._protocols = {1: RECORDERS[kind](self, scenario['proto'], False)}
        if second:
            self._protocols[2] = RECORDERS[second.get('kind', 'stream')](self, second, True)
        datagrams = kind == 'datagram'
        connected = scenario.get('transport') != 'udp-bound'
        capacity = scenario.get('send_capacity', -1)
        if datagrams:
            self._sock = stage.DatagramSocket(capacity, PEER if connected else None)
        else:
            self._sock = stage.StreamSocket(capacity, PEER)
        self._loop = stage.Loop(self._sock, self._report_failure)

    def _report_failure(self, exc):
        callback = getattr(exc, 'callback', None)
        if callback is None and 'get_buffer()' not in str(exc):
            raise exc  # a fault of this program's
        self.emit({'loop': 'exception', 'callback': callback or 'get_buffer'})

    def run(self):
        if self._scenario['kind'] == 'feed':
            self._feed()
            return
        for step in self._scenario.get('pre', []):
            self._peer(step)
        transport = self._open()
        self._loop.run()
        for index, step in enumerate(self._scenario['steps']):
            who = 'proto' if 'proto' in step else 'peer' if 'peer' in step else 'env'
            self.emit({'step': index, 'do': f'{who}.{step[who]}'})
            if who == 'proto':
                self.proto(step)
            elif who == 'peer':
                self._peer(step)
            else:
                self._loop.run()
        self.emit(self._sock.report())
        transport._sock = None  # so that nothing is said of one that was not closed

    def _open(self):
        if self._scenario['kind'] != 'datagram':
            return reference.StreamTransport(self._loop, self._sock, self._protocols[1])
        address = PEER if self._scenario.get('transport') != 'udp-bound' else None
        return reference.DatagramTransport(self._loop, self._sock, self._protocols[1], address)

    def _feed(self):
        data = self._fed.take(self._scenario['data_len'])
        try:
            asyncio.protocols._feed_data_to_buffered_proto(self._protocols[1], data)
            self.emit({'op': 'feed', 'ret': None})
        except Exception as exc:
            self._report_failure(exc)
            self.emit({'op': 'feed', 'raised': error_name(exc)})

    def _peer(self, step):
        name = step['peer']
        if name == 'send':
            data = self._fed.of(step)
            if data or self._scenario['kind'] == 'datagram':
                self._sock.put(data)
        elif name == 'eof':
            self._sock.put_end()
        elif name == 'error':
            self._sock.put(os_error(step['errno']))
        elif name == 'accept':
            self._sock.accept(step['n'])
        elif name == 'send_error':
            self._sock.fail_writes(os_error(step['errno']))
        elif name == 'report':
            self.emit(self._sock.report())
        else:
            raise KeyError(name)

    def proto(self, step):
        name = step['proto']
        if name == 'raise':
            raise Failure
        try:
            getattr(self, '_' + name, self._plain)(step)
        except Failure:
            raise
        except Exception as exc:
            self.emit({'op': name, 'raised': error_name(exc)})

    # Those that need more than a call of the transport's.
    def _mark(self, step):
        self.emit({'op': 'mark', 'label': step['label']})

    def _call_soon(self, step):
        self._loop.call_soon(self._mark, step)

    def _write(self, step):
        self.transport.write(self._written.of(step))

    def _writelines(self, step):
        self.transport.writelines([self._written.take(n) for n in step['ns']])

    def _sendto(self, step):
        address = {None: None, 'peer': PEER, 'other': 'other'}[step.get('addr')]
        self.transport.sendto(self._written.of(step), address)

    def _write_until_paused(self, step):
        total = 0
        while not self.writing_paused and total < step['max']:
            size = min(step['chunk'], step['max'] - total)
            self.transport.write(self._written.take(size))
            total += size
        self.emit({'op': 'write_until_paused', 'ret': total})

    def _set_protocol(self, step):
        self.transport.set_protocol(self._protocols[step['to']])

    def _set_write_buffer_limits(self, step):
        limits = {key: step[key] for key in ('high', 'low') if step.get(key) is not None}
        self.transport.set_write_buffer_limits(**limits)

    def _plain(self, step):
        answer = getattr(self.transport, step['proto'])()
        if answer is not None:
            answer = list(answer) if isinstance(answer, tuple) else answer
            self.emit({'op': step['proto'], 'ret': answer})


class Warnings(logging.Handler):
    """asyncio's log, as lines."""

    def __init__(self, emit):
        super().__init__()
        self._emit = emit

    def emit(self, record):
        self._emit({'loop': 'warning'})


def main():
    if sys.version_info[:2] != (3, 11):
        sys.exit(f'oracle.py: this is Python {sys.version.split()[0]}; it must be a 3.11, as Debian 12 has it')

    def emit(line):
        sys.stdout.write(json.dumps(line, separators=(',', ':')) + '\n')

    log = logging.getLogger('asyncio')
    log.addHandler(Warnings(emit))
    log.propagate = False
    for text in sys.stdin:
        Play(json.loads(text), emit).run()
        emit({'log': 'end'})
        sys.stdout.flush()


if __name__ == '__main__':
    main()

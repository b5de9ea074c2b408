"""A loop and a socket without I/O, for a transport of asyncio's: the memory host's turns (CONTRACT.md, T4)."""

import collections
import socket

DESCRIPTOR = 9


class Loop:
    """What a selector transport asks of its loop. A turn: what was ready, then the read, then the write; which of the
    two are due is looked at when the turn begins."""

    def __init__(self, sock, report):
        self._sock = sock
        self._report = report
        self._ready = collections.deque()
        self._reader = self._writer = None
        self._transports = {}

    def get_debug(self):
        return False

    def is_closed(self):
        return True

    def call_soon(self, callback, *arguments, context=None):
        self._ready.append((callback, arguments))

    def call_exception_handler(self, context):
        self._report(context['exception'])

    def _add_reader(self, fd, callback):
        self._reader = callback

    def _add_writer(self, fd, callback):
        self._writer = callback

    def _remove_reader(self, fd):
        self._reader = None

    def _remove_writer(self, fd):
        self._writer = None

    def _call(self, callback, *arguments):
        try:
            callback(*arguments)
        except Exception as exc:
            self._report(exc)

    def run(self):
        """Turns until nothing is left to do."""
        while True:
            reads = self._reader and self._sock.is_readable()
            writes = self._writer and self._sock.is_writable()
            if not (reads or writes or self._ready):
                return
            for _ in range(len(self._ready)):
                callback, arguments = self._ready.popleft()
                self._call(callback, *arguments)
            if reads and self._reader:
                self._call(self._reader)
            if writes and self._writer:
                self._call(self._writer)


class Socket:
    """Bytes, an end (b'') and errors to read, in order; a capacity to write into."""

    family, proto = socket.AF_UNIX, 0

    def __init__(self, capacity, peer):
        self._peer = peer
        self._items = collections.deque()
        self._capacity = capacity
        self._error = None
        self._sent = []
        self._shut = False

    # Asked by the transport.
    def fileno(self):
        return DESCRIPTOR

    def getsockname(self):
        return 'here'

    def getpeername(self):
        if self._peer is None:
            raise OSError('not connected')
        return self._peer

    def shutdown(self, how):
        self._shut = True

    def close(self):
        self._shut = True

    # Asked by the loop.
    def is_readable(self):
        return bool(self._items)

    def is_writable(self):
        return bool(self._error) or self._capacity != 0

    # Played by the scenario.
    def put(self, item):
        self._items.append(item)

    def accept(self, n):
        if n < 0:
            self._capacity = -1
        elif self._capacity >= 0:
            self._capacity += n

    def fail_writes(self, error):
        self._error = error

    def take(self, n):
        """Answers how much of n there is room for."""
        if self._error:
            raise self._error
        if self._capacity == 0:
            raise BlockingIOError
        if self._capacity > 0:
            n = min(n, self._capacity)
            self._capacity -= n
        return n


class StreamSocket(Socket):
    type = socket.SOCK_STREAM

    def put(self, item):
        """What was sent in pieces arrives as one."""
        if item and isinstance(item, bytes) and self._items and isinstance(self._items[-1], bytearray):
            self._items[-1] += item
        else:
            super().put(bytearray(item) if isinstance(item, bytes) else item)

    def put_end(self):
        super().put(None)

    def recv(self, size):
        first = self._items[0]
        if first is None or isinstance(first, Exception):
            self._items.popleft()
            if first:
                raise first
            return b''
        part = bytes(first[:size])
        del first[:size]
        if not first:
            self._items.popleft()
        return part

    def recv_into(self, buffer):
        part = self.recv(len(buffer))
        buffer[:len(part)] = part
        return len(part)

    def send(self, data):
        taken = self.take(len(data))
        self._sent.append(bytes(data[:taken]))
        return taken

    def report(self):
        return {'peer': 'report', 'hex': b''.join(self._sent).hex(), 'eof': self._shut}


class DatagramSocket(Socket):
    type = socket.SOCK_DGRAM

    def recvfrom(self, size):
        first = self._items.popleft()
        if isinstance(first, Exception):
            raise first
        return first, self._peer

    def send(self, data):
        self.take(1)
        self._sent.append(bytes(data))

    def report(self):
        return {
            'peer': 'report',
            'sizes': [len(data) for data in self._sent],
            'hex': b''.join(self._sent).hex(),
        }

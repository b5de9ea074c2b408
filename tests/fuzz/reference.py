"""asyncio's selector transports of CPython 3.11, with each difference that CONTRACT.md lists mended.

Every method below names the rule that it is for; whatever is not overridden here is asyncio's own.
"""

from asyncio import selector_events

DATAGRAM_HEADER = 8


class _Mended:
    """What streams and datagrams have in common."""

    def set_protocol(self, protocol):
        """P2: one that comes while writing is paused hears of it."""
        old = getattr(self, '_protocol', None)
        super().set_protocol(protocol)
        if old not in (None, protocol) and self._protocol_paused and not self._conn_lost:
            try:
                protocol.pause_writing()
            except Exception as exc:
                self._loop.call_exception_handler({'exception': exc})

    def _call_connection_lost(self, exc):
        """W4, L5: what is written or aborted in it and after it finds the connection lost."""
        self._conn_lost = max(self._conn_lost, 1)
        super()._call_connection_lost(exc)


class StreamTransport(_Mended, selector_events._SelectorSocketTransport):
    _read_ended = _draining = False

    # E3: after eof_received is_reading is false, and nothing makes it read again.
    def is_reading(self):
        return not self._read_ended and super().is_reading()

    def pause_reading(self):
        if not self._read_ended:
            super().pause_reading()

    def resume_reading(self):
        if not self._read_ended:
            super().resume_reading()

    def _read_ready__on_eof(self):
        self._read_ended = True
        self._loop._remove_reader(self._sock_fd)
        super()._read_ready__on_eof()

    def _add_reader(self, fd, callback):
        """L1: pause_reading inside connection_made holds (3.11 reads nevertheless)."""
        if self.is_reading():
            super()._add_reader(fd, callback)

    def _read_ready__get_buffer(self):
        """P1: the answer of a protocol that was replaced inside get_buffer is thrown away and the new one asked.
        R2, L8: nothing more is delivered after close, abort or pause_reading inside get_buffer, nor when a write inside
        it has failed: then the connection is lost, that was the first cause, and asyncio would still read once."""
        if not self.is_reading():
            return
        asked = self._protocol
        try:
            buffer = asked.get_buffer(-1)
            if self._protocol is asked and not len(buffer):
                raise RuntimeError('get_buffer() returned an empty buffer')
        except Exception as exc:
            self._fatal_error(exc, 'Fatal error: protocol.get_buffer() call failed.')
            return
        if self._protocol is not asked:
            self._read_ready_cb()
        elif self.is_reading():
            self._fill(buffer)

    def _fill(self, buffer):
        try:
            size = self._sock.recv_into(buffer)
        except Exception as exc:
            self._fatal_error(exc, 'Fatal read error on socket transport')
            return
        if not size:
            self._read_ready__on_eof()
            return
        try:
            self._protocol.buffer_updated(size)
        except Exception as exc:
            self._fatal_error(exc, 'Fatal error: protocol.buffer_updated() call failed.')

    def _read_ready__data_received(self):
        """P1: as above, when a plain protocol has just replaced a buffered one."""
        if self.is_reading():
            super()._read_ready__data_received()

    def write(self, data):
        """W5: dropped after close, also while the buffer drains."""
        if self._closing and not self._conn_lost and not self._eof:
            return
        super().write(data)

    def _write_ready(self):
        self._draining = True
        try:
            super()._write_ready()
        finally:
            self._draining = False

    def _call_connection_lost(self, exc):
        """L2: once, also when close or abort inside resume_writing has scheduled it already."""
        if not (self._draining and self._conn_lost):
            super()._call_connection_lost(exc)


class DatagramTransport(_Mended, selector_events._SelectorDatagramTransport):
    def sendto(self, data, addr=None):
        """D1: empty datagrams are sent (3.11 drops them). F6: each counts as its length + 8 (3.11 counts none).
        D2: without an address on an unconnected endpoint: an error. D4: dropped after close. L3: error_received is
        not entered from in here."""
        if self._address and addr not in (None, self._address):
            raise ValueError('another address than the one connected to')
        if not self._address and addr is None:
            raise ValueError('an address is needed')
        if self._closing:
            self._drop()
            return
        if not self._buffer:
            try:
                self._sock.send(data)
                return
            except BlockingIOError:
                self._loop._add_writer(self._sock_fd, self._sendto_ready)
            except OSError as exc:
                self._loop.call_soon(self._tell_error, exc)
                return
        self._buffer.append((bytes(data), addr))
        self._buffer_size += len(data) + DATAGRAM_HEADER
        self._maybe_pause_protocol()

    def _drop(self):
        """W4, for connected and unconnected ones alike."""
        if not self._conn_lost:
            return
        if self._conn_lost >= selector_events.constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES:
            selector_events.logger.warning('socket.send() raised exception.')
        self._conn_lost += 1

    def _tell_error(self, exc):
        if self._protocol is not None:
            self._protocol.error_received(exc)

    def _force_close(self, exc):
        """F6: a dropped queue holds nothing (3.11 goes on counting it). L2: nothing after connection_lost (3.11 still
        waits to send after an error of the last queued one)."""
        if not self._conn_lost:
            self._loop._remove_writer(self._sock_fd)
        super()._force_close(exc)
        if not self._buffer:
            self._buffer_size = 0

    def _sendto_ready(self):
        """F6: as above. D3: connection_lost is scheduled, for an error_received may be (3.11 calls it at once)."""
        while self._buffer:
            data, _ = self._buffer[0]
            try:
                self._sock.send(data)
            except BlockingIOError:
                break
            except OSError as exc:
                self._forget_first()
                self._protocol.error_received(exc)
                return
            self._forget_first()
        self._maybe_resume_protocol()
        if not self._buffer:
            self._loop._remove_writer(self._sock_fd)
            if self._closing and not self._conn_lost:
                self._conn_lost += 1
                self._loop.call_soon(self._call_connection_lost, None)

    def _forget_first(self):
        data, _ = self._buffer.popleft()
        self._buffer_size -= len(data) + DATAGRAM_HEADER

#!/usr/bin/env python3
"""TCP proxies in a process of their own, whose wires can be cut. Reads commands from its standard input, ends
with it:

    cutter.py PORT:TARGET_PORT...     all on 127.0.0.1
    cut PORT SECONDS                  ends all connections, and refuses new ones for that long
    hang PORT SECONDS                 passes nothing on for that long; then goes on as if nothing had been"""

import asyncio
import sys


class End(asyncio.Protocol):
    """One of a connection's two ends: what it hears goes to the other, unless the wire hangs."""

    def __init__(self, wire):
        self._wire = wire
        self._held = []
        self.transport = self.other = None

    def connection_made(self, transport):
        self.transport = transport
        self._wire.ends.add(self)

    def connection_lost(self, _):
        self._wire.ends.discard(self)
        if self.other and self.other.transport:
            self.other.transport.close()

    def data_received(self, data):
        if self._wire.hangs or not self.other:
            self._held.append(data)
        else:
            self.other.transport.write(data)

    def go_on(self):
        if self.other and self._held:
            self.other.transport.writelines(self._held)
            self._held = []

    def pause_writing(self):
        if self.other:
            self.other.transport.pause_reading()

    def resume_writing(self):
        if self.other:
            self.other.transport.resume_reading()


class Caller(End):
    """The end that came to us; the other one is connected for it."""

    def connection_made(self, transport):
        super().connection_made(transport)
        if self._wire.is_cut():
            transport.abort()
        else:
            self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self):
        try:
            _, there = await asyncio.get_running_loop().create_connection(
                lambda: End(self._wire), "127.0.0.1", self._wire.target)
        except OSError:
            self.transport.abort()
            return
        there.other, self.other = self, there
        if self.transport.is_closing():
            there.transport.abort()
        elif not self._wire.hangs:
            self.go_on()
            there.go_on()


class Wire:
    def __init__(self, port, target):
        self.port, self.target = port, target
        self.ends = set()
        self.hangs = 0
        self._cut_until = 0.0

    async def listen(self):
        await asyncio.get_running_loop().create_server(lambda: Caller(self), "127.0.0.1", self.port)

    def is_cut(self):
        return asyncio.get_running_loop().time() < self._cut_until

    async def cut(self, seconds):
        self._cut_until = asyncio.get_running_loop().time() + seconds
        for end in list(self.ends):
            end.transport.abort()

    async def hang(self, seconds):
        self.hangs += 1
        await asyncio.sleep(seconds)
        self.hangs -= 1
        for end in list(self.ends) if not self.hangs else []:
            end.go_on()


async def main():
    wires = [Wire(*map(int, word.split(":"))) for word in sys.argv[1:]]
    for wire in wires:
        await wire.listen()
    by_port = {wire.port: wire for wire in wires}
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("ready", flush=True)
    running = set()
    while line := await commands.readline():
        verb, port, seconds = line.decode().split()
        running.add(asyncio.ensure_future(getattr(by_port[int(port)], verb)(float(seconds))))


if __name__ == "__main__":
    asyncio.run(main())

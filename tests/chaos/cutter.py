#!/usr/bin/env python3
"""TCP proxies in a process of their own, whose wires can be cut. Reads commands from its standard input, ends
with it:

    cutter.py PORT:TARGET_PORT...     all on 127.0.0.1
    cut PORT SECONDS                  ends all connections, and refuses new ones for that long
    hang PORT SECONDS                 passes nothing on for that long; then goes on as if nothing had been"""

import asyncio
import contextlib
import sys

CHUNK_BYTES = 262144


class Wire:
    def __init__(self, port, target):
        self.port, self._target = port, target
        self._flows = asyncio.Event()
        self._flows.set()
        self._cut_until = 0.0
        self._writers = set()

    async def listen(self):
        await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def cut(self, seconds):
        self._cut_until = asyncio.get_running_loop().time() + seconds
        for writer in list(self._writers):
            writer.transport.abort()

    async def hang(self, seconds):
        self._flows.clear()
        await asyncio.sleep(seconds)
        self._flows.set()

    async def _serve(self, reader, writer):
        if asyncio.get_running_loop().time() < self._cut_until:
            writer.transport.abort()
            return
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, there_writer}
        self._writers |= both
        await asyncio.gather(self._pass(reader, there_writer), self._pass(there_reader, writer))
        self._writers -= both

    async def _pass(self, reader, writer):
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK_BYTES):
                await self._flows.wait()
                writer.write(chunk)
                await writer.drain()
        with contextlib.suppress(OSError):
            writer.close()


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

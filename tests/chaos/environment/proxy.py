"""Something in between that keeps a TCP connection's bytes for a while, or cuts it anywhere.

The kernel of the usual test machine has no netem; this delays without it, and needs no root.
Unlike a cut of the network it ends connections in the middle of a message.
"""

import asyncio
import random
import threading

CHUNK = 16384


class Proxy:
    """Listens on a port of 127.0.0.1 and hands on to a unix socket, in a thread of its own."""

    def __init__(self, target, seed=0):
        self.target = target
        self.random = random.Random(seed)
        self.delay_s = 0.0
        self.flowing = None  # an event of the loop: bytes may pass
        self.cut_after = None  # bytes until a connection is cut; None: never
        self.writers = set()
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.thread = threading.Thread(target=self._main, args=(started,), daemon=True)
        self.thread.start()
        started.wait()

    def _main(self, started):
        asyncio.set_event_loop(self.loop)
        self.flowing = asyncio.Event()
        self.flowing.set()
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()

    def _do(self, what, *args):
        self.loop.call_soon_threadsafe(what, *args)

    async def _serve(self, reader, writer):
        ours = {writer}
        try:
            there_reader, there_writer = await asyncio.open_unix_connection(self.target)
            ours.add(there_writer)
            self.writers |= ours
            await asyncio.wait(
                [asyncio.ensure_future(self._pump(reader, there_writer)),
                 asyncio.ensure_future(self._pump(there_reader, writer))],
                return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass
        finally:
            self.writers -= ours
            for one in ours:
                one.transport.abort()

    async def _pump(self, reader, writer):
        """Bytes keep their order and their distance; each waits delay_s."""
        late = asyncio.Queue(maxsize=64)
        teller = asyncio.ensure_future(self._tell(late, writer))
        try:
            while True:
                data = await reader.read(CHUNK)
                if not data or teller.done():
                    break
                await late.put((self.loop.time() + self.delay_s, data))
            await late.put((0, b""))
            await teller
        except OSError:
            pass
        finally:
            teller.cancel()

    async def _tell(self, late, writer):
        while True:
            at, data = await late.get()
            if not data:
                return
            await asyncio.sleep(max(0, at - self.loop.time()))
            await self.flowing.wait()
            if self.cut_after is not None and self.random.random() < len(data) / self.cut_after:
                writer.write(data[:self.random.randrange(len(data))])
                await writer.drain()
                writer.transport.abort()
                return
            writer.write(data)
            await writer.drain()

    def delay(self, seconds):
        self.delay_s = seconds

    def stall(self):
        """Connections stay, nothing passes."""
        self._do(self.flowing.clear)

    def cut_often(self, bytes_between):
        """About every so many bytes a connection ends in the middle of what it was saying."""
        self.cut_after = bytes_between

    def drop_all(self):
        self._do(lambda: [writer.transport.abort() for writer in list(self.writers)])

    def heal(self):
        self.delay_s, self.cut_after = 0.0, None
        self._do(self.flowing.set)

    def close(self):
        self.drop_all()
        self._do(self.loop.stop)
        self.thread.join(5)

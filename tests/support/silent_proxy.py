"""A TCP proxy that can fall silent, as a frozen server does: connections stand and new ones are taken, and no
byte passes either way until it speaks again. It runs on threads of its own; call it from any."""

import contextlib
import socket
import threading
import urllib.parse

CHUNK_BYTES = 65536


class SilentProxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to the server of the URL `target`; `url`
    is the same through the proxy."""

    def __init__(self, target):
        parts = urllib.parse.urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._speaking = threading.Event()
        self._speaking.set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        user = parts.netloc.rpartition("@")[0]
        self.url = parts._replace(netloc=f"{user}@127.0.0.1:{self._listener.getsockname()[1]}").geturl()
        threading.Thread(target=self._accept, daemon=True).start()

    def fall_silent(self):
        self._speaking.clear()

    def speak(self):
        self._speaking.set()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError), client:
            with socket.create_connection(self._target) as server:
                back = threading.Thread(target=self._pass, args=(server, client), daemon=True)
                back.start()
                self._pass(client, server)
                back.join()

    def _pass(self, source, sink):
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK_BYTES):
                self._speaking.wait()
                sink.sendall(chunk)
        self._speaking.wait()
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self.speak()
        # Closing alone would leave the thread in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

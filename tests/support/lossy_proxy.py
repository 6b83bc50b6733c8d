"""A TCP proxy that can lose answers: the request reaches the host and takes effect, and the client never
learns of it, or gets another answer instead. It runs on threads of its own; `lose_answers_to` may be called
from any."""

import contextlib
import socket
import threading

CHUNK_BYTES = 65536


def http_answer(status, content_type="text/html", body=""):
    """An answer as a proxy in front of the host might give it."""
    head = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "Connection: close", "", body]).encode()


class LossyProxy:
    """Listens on a free port of 127.0.0.1 and passes everything on to `target_port` of the same address."""

    def __init__(self, target_port):
        self._target_port = target_port
        self._lock = threading.Lock()
        self._prefix = None
        self._instead = b""
        self._lost = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_answers_to(self, request_prefix, instead=b""):
        """From now on, requests that begin so get `instead`, by default nothing, and a closed connection for
        an answer; None: none does."""
        with self._lock:
            self._prefix = request_prefix and request_prefix.encode()
            self._instead = instead

    @property
    def answers_lost(self):
        with self._lock:
            return self._lost

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError), client:
            with socket.create_connection(("127.0.0.1", self._target_port)) as host:
                losing = threading.Event()
                answers = threading.Thread(
                    target=self._pass_answers, args=(host, client, losing), daemon=True
                )
                answers.start()
                while chunk := client.recv(CHUNK_BYTES):
                    with self._lock:
                        if self._prefix and chunk.startswith(self._prefix):
                            self._lost += 1
                            losing.set()
                    host.sendall(chunk)
                host.shutdown(socket.SHUT_WR)
                answers.join()

    def _pass_answers(self, host, client, losing):
        with contextlib.suppress(OSError):
            while chunk := host.recv(CHUNK_BYTES):
                if losing.is_set():
                    client.sendall(self._instead)
                    break
                client.sendall(chunk)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def close(self):
        # Closing alone would leave the thread in accept().
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

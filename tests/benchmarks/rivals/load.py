"""Ask a server over several connections, as fast as it answers: ``load.py PORT BODY CONNECTIONS SECONDS``.

Prints requests per second, and the median and the 99th percentile of a request's time in milliseconds. Plain sockets in
threads: what it takes itself is little beside what it measures. Any answer but 200 ends it with an error.
"""

import json
import socket
import sys
import threading
import time
from pathlib import Path

port, body, connections, seconds = (
    int(sys.argv[1]),
    Path(sys.argv[2]).read_bytes(),
    int(sys.argv[3]),
    float(sys.argv[4]),
)
HEAD = (
    f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    f"Content-Length: {len(body)}\r\n\r\n"
).encode()
taken: list[float] = []
wrong: list[bytes] = []
end = time.perf_counter() + seconds


def ask() -> None:
    """Ask again and again over one connection."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < end and not wrong:
            began = time.perf_counter()
            connection.sendall(HEAD + body)
            read(connection)
            taken.append(time.perf_counter() - began)


def read(connection: socket.socket) -> None:
    """Read an answer whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        wrong.append(head + rest)
        return
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))[15:])
    while len(rest) < length:
        rest += connection.recv(65536)


threads = [threading.Thread(target=ask) for _ in range(connections)]
began = time.perf_counter()
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
elapsed = time.perf_counter() - began
if wrong:
    raise SystemExit(wrong[0].decode())
taken.sort()
ms = {"p50": taken[len(taken) // 2] * 1e3, "p99": taken[int(len(taken) * 0.99)] * 1e3}
print(json.dumps({"per_s": len(taken) / elapsed, **ms}))

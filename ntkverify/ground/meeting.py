"""Processes meet at an address before JAX joins them: where one does not come JAX aborts the others, without a sentence."""

import contextlib
import socket
import time

from ntkverify.ground.errors import BadInput

COME, TWICE, OTHERS = b"come", b"twic", b"othr"
"""What process 1 answers: all are there; this K is there already; it waits for another N."""
LINE = 32
"""Bytes of what a guest says, "K/N" with spaces."""


def meet(k: int, n: int, address: str, patience: float) -> None:
    """Return in process k of n once all n are there, process 1 listening; `BadInput` after so many seconds."""
    host, _, port = address.rpartition(":")
    wanted = "HOST:PORT, where process 1 listens"
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise BadInput(f"--coordinator {address}", wanted, "--coordinator 127.0.0.1:7650")
    until = time.monotonic() + patience
    try:
        answer = _listen((host, int(port)), n, until) if k == 1 else _come((host, int(port)), k, n, until)
    except OSError as error:
        raise BadInput(f"--coordinator {address} ({error.strerror or error})", wanted) from None
    if answer == COME:
        return
    if answer in (TWICE, OTHERS):
        reason = f"process {k} is there already" if answer == TWICE else f"process 1 does not wait for {n}"
        raise BadInput(f"--process {k}/{n} at {address}, where {reason}", "each K of one N started once")
    given = f"{n} processes, of which not all came" if k == 1 else f"--coordinator {address}, which nobody answers,"
    raise BadInput(f"{given} within {patience:g} s", f"all {n} processes started, with one address")


def _listen(place: tuple[str, int], n: int, until: float) -> bytes:
    """Wait for each K from 2 to n; they are let go together, and hang up first, so that the port is free again."""
    came: dict[int, socket.socket] = {}
    with socket.create_server(place) as server, contextlib.ExitStack() as open_ones:
        while len(came) < n - 1:
            if time.monotonic() >= until:
                return b""
            server.settimeout(max(0.01, until - time.monotonic()))
            with contextlib.suppress(OSError, ValueError):  # whoever else knocks at the port, or hangs up
                guest = open_ones.enter_context(server.accept()[0])
                guest.settimeout(2)
                k, of = (int(word) for word in guest.recv(LINE, socket.MSG_WAITALL).split(b"/"))
                if of != n or not 2 <= k <= n:
                    guest.sendall(OTHERS)
                elif k in came and not _gone(came[k]):
                    guest.sendall(TWICE)
                else:
                    came[k] = guest
        for guest in came.values():
            with contextlib.suppress(OSError):
                guest.sendall(COME)
                guest.recv(1)
    return COME


def _gone(guest: socket.socket) -> bool:
    """Whether it has hung up."""
    guest.setblocking(False)
    try:
        return guest.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        guest.settimeout(2)


def _come(place: tuple[str, int], k: int, n: int, until: float) -> bytes:
    """What process 1 answers, or nothing."""
    while (left := until - time.monotonic()) > 0:
        with contextlib.suppress(ConnectionError, TimeoutError), socket.create_connection(place, left) as guest:
            guest.settimeout(left)
            guest.sendall(f"{k}/{n}".encode().ljust(LINE))
            if answer := guest.recv(len(COME), socket.MSG_WAITALL):
                return answer
        time.sleep(0.1)
    return b""

"""Processes meet at an address before JAX joins them: where one does not come JAX aborts the others, without a sentence."""

import contextlib
import socket
import time

from ntkverify.ground.errors import BadInput

HERE = b"here"


def meet(k: int, n: int, address: str, patience: float) -> None:
    """Return in process k of n once all n are there, process 1 listening; `BadInput` after so many seconds."""
    host, _, port = address.rpartition(":")
    wanted = "HOST:PORT, where process 1 listens"
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise BadInput(f"--coordinator {address}", wanted, "--coordinator 127.0.0.1:7650")
    until = time.monotonic() + patience
    try:
        came = _listen((host, int(port)), n, until) if k == 1 else _come((host, int(port)), until)
    except OSError as error:
        raise BadInput(f"--coordinator {address} ({error.strerror or error})", wanted) from None
    if not came:
        given = f"{n} processes, of which not all came" if k == 1 else f"--coordinator {address}, which nobody answers,"
        raise BadInput(f"{given} within {patience:g} s", f"all {n} processes started, with one address")


def _listen(place: tuple[str, int], n: int, until: float) -> bool:
    """Whether n − 1 others came; they are let go together, and hang up first, so that the port is free again."""
    with socket.create_server(place) as server, contextlib.ExitStack() as open_ones:
        came: list[socket.socket] = []
        while len(came) < n - 1:
            server.settimeout(max(0.01, until - time.monotonic()))
            try:
                guest = open_ones.enter_context(server.accept()[0])
                guest.settimeout(2)
                if guest.recv(len(HERE)) == HERE:
                    came.append(guest)
            except TimeoutError:
                if time.monotonic() >= until:
                    return False
        for guest in came:
            guest.sendall(HERE)
            guest.recv(1)
    return True


def _come(place: tuple[str, int], until: float) -> bool:
    """Whether process 1 answers, and lets all go."""
    while (left := until - time.monotonic()) > 0:
        with contextlib.suppress(ConnectionError, TimeoutError), socket.create_connection(place, left) as guest:
            guest.settimeout(left)
            guest.sendall(HERE)
            if guest.recv(len(HERE)) == HERE:
                return True
        time.sleep(0.1)
    return False

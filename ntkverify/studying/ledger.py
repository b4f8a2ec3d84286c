"""Finished cells on disk: an SQLite file (WAL) that survives being killed at any moment.

A cell is named by the hash of all that it was computed from, so what was computed from something else
never takes its place.  A lock that the operating system releases at death keeps two runs apart.
"""

import json
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ntkverify.ground.errors import BadInput
from ntkverify.ground.settings import configuration_hash

LEDGER = "ledger.sqlite"
APPLICATION = 0x6E746B76
"""Marks the file as ours ("ntkv")."""
_SCHEMA = "CREATE TABLE cells (id TEXT PRIMARY KEY, params TEXT NOT NULL, rows TEXT NOT NULL, seconds REAL NOT NULL)"


class Ledger:
    """The cells of one folder.  Open it with `opened`."""

    def __init__(self, connection: sqlite3.Connection):
        self.connection = connection

    def get(self, params: dict) -> list[dict] | None:
        """The rows of a finished cell, one a seed, or None."""
        found = self.connection.execute("SELECT rows FROM cells WHERE id = ?", (configuration_hash(params),)).fetchone()
        return None if found is None else json.loads(found[0])

    def put(self, params: dict, rows: list[dict], seconds: float) -> None:
        """Keep a finished cell; it is on disk when this returns."""
        cell = (
            configuration_hash(params),
            json.dumps(params, sort_keys=True),
            json.dumps(rows, allow_nan=False),
            seconds,
        )
        with self.connection:
            self.connection.execute("INSERT OR REPLACE INTO cells VALUES (?, ?, ?, ?)", cell)

    def every(self) -> dict[str, tuple[str, str, float]]:
        """Cell → (parameters, rows, seconds), both as they are kept."""
        return {
            name: tuple(content)
            for name, *content in self.connection.execute("SELECT id, params, rows, seconds FROM cells")
        }

    def add(self, name: str, content: tuple[str, str, float]) -> str | None:
        """Keep what another ledger holds of a cell, unless this one has it; the rows here where they differ from its."""
        known = self.connection.execute("SELECT rows FROM cells WHERE id = ?", (name,)).fetchone()
        if known is not None:
            return None if json.loads(known[0]) == json.loads(content[1]) else known[0]
        with self.connection:
            self.connection.execute("INSERT INTO cells VALUES (?, ?, ?, ?)", (name, *content))
        return None

    def __len__(self) -> int:
        return self.connection.execute("SELECT count(*) FROM cells").fetchone()[0]


@contextmanager
def opened(folder: Path):
    """The folder's ledger, made if missing; `BadInput` if it is damaged, foreign or in use."""
    path = folder / LEDGER
    try:
        lock = FileLock(folder / f"{LEDGER}.lock", timeout=0).acquire()
    except Timeout:
        raise BadInput(f"{path} is in use", "one run at a time in a folder", "another --out, or wait") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be locked ({error})", "a folder that can be written", "another --out") from None
    with lock, closing(_connected(path)) as connection:
        _check(connection, path)
        yield Ledger(connection)


def _connected(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path)
    except sqlite3.OperationalError as error:
        raise BadInput(f"{path} cannot be opened ({error})", "a file that can be written", "another --out") from None


def _check(connection: sqlite3.Connection, path: Path) -> None:
    wanted, attempt = "a ledger that ntkverify wrote", "another --out, or moving the file away"
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        tables = [name for (name,) in connection.execute("SELECT sql FROM sqlite_master WHERE type = 'table'")]
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        if not tables and application in (0, APPLICATION):
            with connection:
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
        elif application not in (0, APPLICATION) or tables != [_SCHEMA]:
            raise BadInput(f"{path} belongs to another program or version", wanted, attempt)
        (state,) = connection.execute("PRAGMA quick_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise BadInput(f"{path} is damaged ({error})", wanted, attempt) from None
    if state != "ok":
        raise BadInput(f"{path} is damaged ({state})", wanted, attempt)

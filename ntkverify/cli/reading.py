"""What several verbs refuse of what is typed, and the small sizes that some of them take."""

import dataclasses
from collections.abc import Iterable

from ntkverify import catalogue
from ntkverify.ground.errors import BadInput
from ntkverify.ground.settings import Settings


def part(option: str, given: str) -> tuple[int, int]:
    """(K, N) of K/N."""
    words = given.split("/")
    k, n = (int(word) if word.isdecimal() else 0 for word in words) if len(words) == 2 else (0, 0)
    if not 1 <= k <= n:
        raise BadInput(f"--{option} {given}", "K/N with 1 ≤ K ≤ N", f"--{option} 1/4")
    return k, n


def device_count(given: str) -> int | None:
    """The number in --devices, None for all."""
    if given == "all":
        return None
    if not given.isdecimal() or int(given) < 1:
        raise BadInput(f"--devices {given}", "a whole number of at least 1, or all", "--devices all")
    return int(given)


def small(settings: Settings, n: int, d_in: int, d_out: int) -> Settings:
    """The settings with small sizes where none are given and the data leave a choice: n unless a file says it, d_in and d_out
    where points are drawn from a sphere."""
    free = {} if catalogue.is_file(settings.data[0]) else {"n": n}
    free |= {"d_in": d_in, "d_out": d_out} if settings.data == ("sphere",) else {}
    return dataclasses.replace(
        settings, **{name: size for name, size in free.items() if getattr(settings, name) is None}
    )


def known(claims: Iterable[str]) -> None:
    """`BadInput` for the first name that means no claim, and for a file that states none."""
    for name in catalogue.expanded(claims):
        catalogue.statements(name)


def refuse_several(settings: Settings) -> None:
    """For verbs that take one data set and one network."""
    settings.checked()
    for option in ("data", "network"):
        if len(getattr(settings, option)) != 1:
            raise BadInput(
                f"--{option} {' '.join(getattr(settings, option))}",
                "exactly one here",
                f"--{option} {getattr(settings, option)[0]}",
            )
    catalogue.known_network(settings.network[0])
    catalogue.input_module(settings.data[0])

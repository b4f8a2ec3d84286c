"""Fair times: everything that is compared runs once a round, in turn, so that a slow moment meets all of it."""

import math
import statistics
import time
from collections.abc import Callable, Mapping

import jax


def medians(programs: Mapping[str, Callable], rounds: int) -> dict[str, float]:
    """Seconds of each call, the median over rounds after one that warms up."""
    spent = {name: [] for name in programs}
    for _ in range(rounds + 1):
        for name, program in programs.items():
            begin = time.perf_counter()
            jax.block_until_ready(program())
            spent[name].append(time.perf_counter() - begin)
    return {name: statistics.median(seconds[1:]) for name, seconds in spent.items()}


def temporary_bytes(program) -> float:
    """What a compiled program needs beside its arguments and results, by the compiler's own count; NaN without one."""
    memory = program.memory_analysis()
    return memory.temp_size_in_bytes if memory else math.nan

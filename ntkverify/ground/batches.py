"""Whether matrices go through the eigenvalue solver in batches, or one after the other.

Past 32 × 32 some jaxlibs solve a batch on GPUs much more slowly than its matrices one by one.  So on an accelerator it is
measured once in a process, at the size at hand, and the faster way is taken; a CPU solves one by one in any case.
"""

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np

SMALL = 32
"""Up to this size batches have always paid."""
BATCH, REPEATS = 16, 3


@functools.cache
def cost_of_batches(size: int, dtype: str) -> float:
    """How many times as long as one after the other a batch of `BATCH` symmetric matrices takes; the best of `REPEATS`."""
    A = jnp.asarray(np.random.default_rng(0).standard_normal((BATCH, size, size)), dtype)
    A = A + jnp.swapaxes(A, 1, 2)
    ways = jax.jit(jax.vmap(jnp.linalg.eigvalsh)), jax.jit(lambda A: jax.lax.map(jnp.linalg.eigvalsh, A))
    together, apart = (min(_seconds(way, A) for _ in range(REPEATS + 1)) for way in ways)  # the first one compiles
    return together / apart


def _seconds(way, A) -> float:
    began = time.perf_counter()
    jax.block_until_ready(way(A))
    return time.perf_counter() - began


def batches_pay(size: int, dtype: str) -> bool:
    """Whether to solve several matrices of this size at a time.  Processes that have joined do not measure: each might choose
    another program."""
    if size <= SMALL or jax.default_backend() == "cpu":
        return True
    return jax.process_count() == 1 and cost_of_batches(size, dtype) <= 1

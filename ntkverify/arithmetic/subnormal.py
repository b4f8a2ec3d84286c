"""Numbers strictly between 0 and the smallest normal one, which devices may take for 0."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def below_normal(leaf: jax.Array):
    """Whether a float lies strictly between 0 and the smallest normal number, read off its bits: compared as floats,
    it would count as 0."""
    if leaf.dtype not in (jnp.float32, jnp.float64):
        return jnp.asarray(False)
    whole, bits = (jnp.int64, 52) if leaf.dtype == jnp.float64 else (jnp.int32, 23)
    word = lax.bitcast_convert_type(leaf, whole) & jnp.asarray(jnp.iinfo(whole).max, whole)
    return jnp.any((word > 0) & (word < jnp.asarray(1 << bits, whole)))


def is_below_normal(array) -> bool:
    """Whether a constant has such a number; what is traced is looked at when it runs."""
    try:
        known = np.asarray(array)
    except jax.errors.TracerArrayConversionError:
        return False
    return bool(np.any((known != 0) & (np.abs(known) < np.finfo(known.dtype).tiny)))

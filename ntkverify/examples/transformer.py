"""One transformer block: attention of four heads and a gelu layer, with skips, its mean read out

For inputs that are sequences of tokens.  Logits are divided by the size of a head, not by its root, as a limit needs.
"""

import jax
import jax.numpy as jnp

drift = -1.0
"""Said before measuring: its kernel has a limit (Yang 2020, arXiv:2006.14548); m^(-1), if what Dyer and Gur-Ari (2020,
arXiv:1909.11304) conjecture of smooth networks holds of attention."""

HEADS = 4


def initialise(key, width, shape, d_out):
    """(key, width) → parameters; width is a multiple of the number of heads."""
    tokens, size = shape
    sizes = dict.fromkeys(("query", "key", "value", "mixed", "up", "down"), (width, width))
    sizes |= {"embedding": (size, width), "position": (tokens, width), "out": (width, d_out)}
    keys = jax.random.split(key, len(sizes))
    return {name: jax.random.normal(k, each) for k, (name, each) in zip(keys, sizes.items(), strict=True)}


def apply(parameters, X):
    """(parameters, X (n, tokens, size)) → (n, d_out)."""

    def linear(name, h):
        return h @ parameters[name] / jnp.sqrt(h.shape[-1])

    def heads(name, h):
        return linear(name, h).reshape(*h.shape[:-1], HEADS, -1)

    h = linear("embedding", X) * jnp.sqrt(X.shape[1] * X.shape[2]) + parameters["position"]
    query, key, value = (heads(name, h) for name in ("query", "key", "value"))
    weights = jax.nn.softmax(jnp.einsum("nlhd,nkhd->nhlk", query, key) / query.shape[-1], axis=-1)
    h = h + linear("mixed", jnp.einsum("nhlk,nkhd->nlhd", weights, value).reshape(h.shape))
    h = h + linear("down", jax.nn.gelu(linear("up", h)))
    return linear("out", jnp.mean(h, axis=1))

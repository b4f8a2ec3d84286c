"""What neurons make of inputs before anything else: ⟨w_r, x_i⟩, or z(w_r; x_i) of neurons that are functions of their own.

The gradient of z is inner ⊗ outer (`nouns.Neuron`); for ⟨w, x⟩ inner is 1 and outer is x.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkverify.ground.numerics import full_precision
from ntkverify.networks.nouns import Neuron, TwoLayer


def _inputs(network: TwoLayer, X):
    return X.reshape(len(X), *network.shape) if network.shape else X


def _each(function, W, items):
    """`function` (w, x) of every input and neuron: leading axes (n, m)."""
    return jax.vmap(lambda x: jax.vmap(lambda w: function(w, x), in_axes=1)(W))(items)


@full_precision
def logits(network: TwoLayer, W: Float[Array, "p m"], X: Float[Array, "n d_in"]) -> Float[Array, "n m"]:
    """z(w_r; x_i)."""
    neuron = network.neuron
    return X @ W if neuron is None else _each(neuron.value, W, _inputs(network, X))


def inner(network: TwoLayer, W: Float[Array, "p m"], X: Float[Array, "n d_in"]) -> Float[Array, "n k m"] | None:
    """What of ∇z(w_r; x_i) depends on w; None: 1."""
    neuron = network.neuron
    if neuron is None:
        return None
    return jnp.moveaxis(_each(_inner(neuron), W, _inputs(network, X)), 2, 1)


def inner_length(network: TwoLayer, p: int, X: Float[Array, "n d_in"]) -> int:
    """k."""
    if network.neuron is None:
        return 1
    return jax.eval_shape(lambda W, X: inner(network, W, X), jax.ShapeDtypeStruct((p, 1), X.dtype), X[:1]).shape[1]


def _inner(neuron: Neuron):
    return jax.grad(neuron.value) if neuron.inner is None else neuron.inner


def outer(network: TwoLayer, X: Float[Array, "n d_in"]) -> Float[Array, "n l"]:
    """What of ∇z(w_r; x_i) does not depend on w."""
    neuron = network.neuron
    if neuron is None:
        return X
    return jnp.ones_like(X[:, :1]) if neuron.outer is None else jax.vmap(neuron.outer)(_inputs(network, X))


@full_precision
def pulled(
    network: TwoLayer, W: Float[Array, "p m"], X: Float[Array, "n d_in"], c: Float[Array, "n m"]
) -> Float[Array, "p m"]:
    """Σ_i c_{i,r} ∇z(w_r; x_i)."""
    g = inner(network, W, X)
    return X.T @ c if g is None else joined(network, X, g * c[:, None])


def joined(network: TwoLayer, X: Float[Array, "n d_in"], M: Float[Array, "n k m"]) -> Float[Array, "p m"]:
    """Σ_i M_{i,r} ⊗ outer(x_i), as the weights of a neuron lie."""
    n, k, m = M.shape
    found = outer(network, X).T @ M.reshape(n, k * m)
    return jnp.moveaxis(found.reshape(-1, k, m), 0, 1).reshape(-1, m)


def paces(network: TwoLayer, X: Float[Array, "n d_in"]) -> Float[Array, " n"]:
    """L_i with |z(w̃; x_i) − z(w; x_i)| ≤ L_i ‖w̃ − w‖: ‖x_i‖ where z is ⟨w,x⟩."""
    lengths = jnp.sqrt(jnp.sum(outer(network, X) ** 2, axis=1))
    return lengths if network.neuron is None else lengths * steeps_of(network, X)


def steeps_of(network: TwoLayer, X: Float[Array, "n d_in"]) -> Float[Array, " n"]:
    """g_i with ‖inner(w, x_i)‖ ≤ g_i for all w."""
    assert network.neuron is not None
    assert network.neuron.steep is not None
    return jax.vmap(network.neuron.steep)(_inputs(network, X))


def bends_of(network: TwoLayer, X: Float[Array, "n d_in"]) -> Float[Array, " n"]:
    """b_i with |∇²z(w; x_i)[U, U]| ≤ b_i ‖U outer(x_i)‖² for all w."""
    assert network.neuron is not None
    assert network.neuron.bend is not None
    return jax.vmap(network.neuron.bend)(_inputs(network, X))

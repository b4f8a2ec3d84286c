"""Products run at full precision on every device: asked of the programs as they are compiled.

Without it recent NVIDIA cards take TF32 and TPUs bfloat16, 1e-4 of a kernel's entry.
"""

import re

import jax
import jax.numpy as jnp
import optax
import pytest

from ntkverify import catalogue
from ntkverify.ground.devices import alone
from ntkverify.judging.evidence import check
from ntkverify.networks.kernels.infinite_width import sample_kernel
from ntkverify.networks.losses import squared
from ntkverify.networks.network import initialise
from ntkverify.networks.nouns import ON_PATH, TwoLayer
from ntkverify.networks.parting import NETWORKS
from ntkverify.networks.paths import draw_paths
from ntkverify.networks.points import draw_points
from ntkverify.networks.problems import problem
from ntkverify.networks.step_sizes import _of_many
from ntkverify.networks.training import _advance, _begin, _kernels, weights_at
from ntkverify.searching.climbing import ascend

KEYS = jax.random.split(jax.random.key(0), 1)


def question(network: str = "softmax", d_out: int = 3):
    tokens = network in ("attention", "softmax-heads", "patches")
    dataset = catalogue.load_input("tokens" if tokens else "sphere")("", 3, 8 if tokens else 4, d_out, 0)
    return problem(dataset, catalogue.network(network), m=16, dtype="float32")[0]


def products(text: str) -> list[str]:
    """The lines of a program, lowered or compiled, that multiply matrices or convolve."""
    return [line for line in text.splitlines() if re.search(r"stablehlo\.(dot|convolution)|= \S+ (dot|convolution)\(", line)]  # fmt: skip


def cheap(lowered, compiles: bool = True) -> list[str]:
    """The products that are not at full precision."""
    texts = [lowered.as_text(), *([lowered.compile().as_text()] if compiles else [])]
    assert products(texts[0])
    return [
        line
        for text in texts
        for line in products(text)
        if "HIGHEST, HIGHEST" not in line and "{highest,highest}" not in line
    ]


def test_a_product_without_it_is_seen():
    def plain(A):
        return A @ A

    for lowers in (True, False):
        assert cheap(jax.jit(plain).lower(jnp.ones((3, 3), jnp.float32)), lowers)


@pytest.mark.parametrize("network", ["softmax", "tanh", "attention"])
def test_kernels_points_paths_and_training(network):
    own = question(network)
    nets = jax.vmap(lambda key: initialise(own, key))(KEYS)
    net, eta = initialise(own, KEYS[0]), jnp.ones(1, jnp.float32)
    for name in catalogue.KERNELS:
        if name != "infinite-width":
            route = catalogue.kernel(name)
            assert not cheap(jax.jit(route).lower(own, net)), name
    if own.activation.neuron is None:
        assert not cheap(jax.jit(sample_kernel).lower(own))
    assert not cheap(draw_points.lower(own, KEYS, 1, alone()))
    assert not cheap(draw_paths.lower(own, KEYS, 1, alone()))
    assert not cheap(_of_many.lower(own, nets, alone()))
    assert not cheap(weights_at.lower(own, net, eta[0], jnp.asarray([1])))
    assert not cheap(_kernels.lower(own, nets, nets.W[:, None], alone(), NETWORKS))
    state, span = _begin(optax.sgd, (), nets, eta), jnp.asarray([0, 2, 2])
    how = {"optimiser": optax.sgd, "loss": squared, "levels": (), "movement": False, "mesh": alone(), "by": NETWORKS}
    for together in (True, False):
        goal = jnp.asarray(0.1, jnp.float32)
        assert not cheap(_advance.lower(own, nets, eta, state, span, goal, together=together, **how))


@pytest.mark.parametrize("name", catalogue.CLAIMS)
def test_claims(name):
    forms = tuple(catalogue.claims(name))
    own = question("relu" if "relu" in forms[0].statement.networks else "softmax")
    assert isinstance(own.network, TwoLayer)
    draw = draw_paths if forms[0].where == ON_PATH else draw_points
    points = jax.eval_shape(lambda keys: draw(own, keys, 1, alone()), KEYS)
    constants = tuple(dict(form.constants) for form in forms)
    lowered = check.lower(forms, constants, own, points, 1, alone())
    if products(lowered.as_text()):
        assert not cheap(lowered, compiles=False)


def test_the_search():
    own, (form, *_) = question(), catalogue.claims("kernel-perturbation")
    net = initialise(own, KEYS[0])
    place = jax.tree.map(lambda leaf: leaf[None], (own.X, net.W, net.W, net.a))
    assert not cheap(ascend.lower(form, own, place, dict(form.constants), KEYS))

"""One regression: its rows, the network at its start, and what is computed from them once; a lesson, where the truth is known."""

import dataclasses
import functools
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ntkverify.diffusion.regression import Pairs, Sample, embedded
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.network import kernel_scale
from ntkverify.networks.nouns import Params, Problem
from ntkverify.networks.training import weights_at
from ntkverify.truths.mixtures import Mixture

_kernel = jax.jit(closed_form)


@dataclass(frozen=True)
class Regression:
    """The regression of one draw of data and network."""

    learn: Pairs
    test: Pairs
    radius: float
    """ρ, where inputs are clipped."""
    scale: float
    """L, what labels are divided by."""
    problem: Problem
    """Of the training inputs x̂; its y are the noisy labels over L."""
    start: Params
    eta: jax.Array
    times: jax.Array
    """Steps at which predictions are compared, ascending."""

    @functools.cached_property
    def X(self) -> Float[Array, "rows d_in"]:
        """x̂ of the training rows, then of the test rows."""
        return jnp.concatenate([self.problem.X, embedded(self.test.t, self.test.x, self.radius)])

    @functools.cached_property
    def t(self) -> Float[Array, " rows"]:
        return jnp.concatenate([self.learn.t, self.test.t])

    @functools.cached_property
    def x(self) -> Float[Array, "rows d"]:
        return jnp.concatenate([self.learn.x, self.test.x])

    @functools.cached_property
    def kernel(self) -> Float[Array, "nd nd"]:
        """H(0) over the training rows."""
        return _kernel(self.problem, self.start)

    @functools.cached_property
    def weights(self) -> Float[Array, "times d_in m"]:
        """W at each of the times, trained on the noisy labels."""
        return weights_at(self.problem, self.start, self.eta, self.times)

    @functools.cached_property
    def across(self) -> Float[Array, "nd rows_d"]:
        """H(0) between the training rows and all rows."""
        every = _kernel(dataclasses.replace(self.problem, X=self.X), self.start)
        return every[: self.problem.n * self.problem.d_out]

    @property
    def rate(self) -> jax.Array:
        """η s_m: the error shrinks by I − rate·H(0) a step in the linearised network."""
        return self.eta * kernel_scale(self.problem.network, self.problem.m)

    def net(self, place: int) -> Params:
        """The network trained to the time at that place."""
        return dataclasses.replace(self.start, W=self.weights[place])


@dataclass(frozen=True)
class Lesson(Regression):
    """A regression whose f* is known."""

    learn: Sample
    test: Sample
    mixture: Mixture

    @functools.cached_property
    def clean(self) -> Problem:
        """The same regression with the labels f*."""
        return dataclasses.replace(self.problem, y=self.learn.clean / self.scale)

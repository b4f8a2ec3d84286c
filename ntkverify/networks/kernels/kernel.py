"""H, of whatever network: in closed form where there is one, otherwise by automatic differentiation."""

from jaxtyping import Array, Float

from ntkverify.networks.kernels.autodiff import autodiff
from ntkverify.networks.kernels.closed_form import closed_form
from ntkverify.networks.nouns import Params, Problem, TwoLayer


def kernel(problem: Problem, params: Params, X2: Float[Array, "n2 d_in"] | None = None) -> Float[Array, "nd n2d"]:
    """J J₂ᵀ / s_m at `params`, an (n·d_out, n2·d_out) array, sample slow; J₂ is J without `X2`.

    Source: docs/theory.md §2.
    """
    route = closed_form if isinstance(problem.network, TwoLayer) else autodiff
    return route(problem, params, X2)

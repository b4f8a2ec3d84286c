"""The user's own lemma: a file of the same form as those in `claims/`, tried before it is used."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from ntkverify.ground.devices import alone
from ntkverify.ground.errors import BadInput, told
from ntkverify.ground.numerics import random_key
from ntkverify.networks.kinds import elsewhere
from ntkverify.networks.nouns import COUPLED, ON_PATH, Model, Problem
from ntkverify.networks.paths import draw_paths
from ntkverify.networks.points import draw_points
from ntkverify.statements.claim import Claim


def _traced(formula, problem: Problem, point, constants):
    """What identifies the formula that JAX reads, its constants included, and the shape of its value."""
    closed, found = jax.make_jaxpr(lambda *args: formula(*args), return_shape=True)(
        problem, point, constants
    )  # a new function
    content = tuple(
        np.asarray(each).tobytes() for each in closed.consts if not jnp.issubdtype(each.dtype, jax.dtypes.prng_key)
    )
    return (str(closed.jaxpr), content), found


def _of_point(condition):
    """A condition of the problem as a formula."""
    return lambda problem, point, constants: condition(problem, constants)


def _attempt(problem: Problem, error: BaseException) -> str:
    """What may help."""
    if isinstance(error, jax.errors.TracerArrayConversionError):
        return "jax.numpy in place of numpy"
    if isinstance(error, jax.errors.TracerBoolConversionError):
        return "jnp.where in place of if"
    if isinstance(problem.network, Model) and problem.init == COUPLED:
        return "--init independent; at a coupled start parameters(...) is a pair, of the network and of its copy"
    return ""


def tried(forms: Sequence[Claim], problem: Problem) -> None:
    """`BadInput` if a formula raises, or does not give real numbers that compare (shapes only, no numbers); forms that
    speak of other networks are left alone."""
    for form in (each for each in forms if not elsewhere(each.statement.networks, problem.network)):
        keys = jax.random.split(random_key(0), 1)
        draw = draw_paths if form.where == ON_PATH else draw_points
        points = jax.eval_shape(lambda keys, draw=draw: draw(problem, keys, 1, alone()), keys)
        point = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[2:], leaf.dtype), points)
        constants = {name: jnp.asarray(value) for name, value in form.constants.items()}
        shapes = {}
        formulas = {"lhs": form.lhs, "rhs": form.rhs, **{f"inside {k}": each for k, each in enumerate(form.inside)}}
        of_problem = {f"of_problem {words!r}": _of_point(condition) for words, condition in form.of_problem}
        boolean = {**of_problem, "assumptions": form.assumptions}
        for name, formula in {**formulas, **boolean}.items():
            given, wanted = f"{form.id} [{form.form}]: {name}", "an array of real numbers computed by jax.numpy"
            try:
                (traced, found), (again, _) = (_traced(formula, problem, point, constants) for _ in range(2))
                shapes[name], real = found.shape, jnp.issubdtype(found.dtype, jnp.floating)
            except BadInput:
                raise
            except (Exception, SystemExit) as error:  # whatever the user's code raises
                raise BadInput(f"{given} {told(error)}", wanted, _attempt(problem, error)) from None
            if traced != again:
                raise BadInput(
                    f"{given} is another formula each time it is read", "a pure function: no numpy.random, no state",
                    "jax.random with a fixed key, or problem.X and point.probe, which are drawn already",
                )  # fmt: skip
            if name in boolean and (found.shape != () or found.dtype != bool):
                raise BadInput(
                    f"{given} gives {found.dtype}{list(found.shape)}", "one boolean, such as jnp.asarray(True)"
                )
            if name not in boolean and not real:
                raise BadInput(f"{given} gives {found.dtype}", wanted)
        sides = f"{form.id} [{form.form}]: lhs {list(shapes['lhs'])} and rhs {list(shapes['rhs'])}"
        if 0 in (*shapes["lhs"], *shapes["rhs"]):
            raise BadInput(f"{sides}: a side without entries", "at least one number on each side")
        if shapes["lhs"] != shapes["rhs"] and () not in (shapes["lhs"], shapes["rhs"]):
            raise BadInput(sides, "equal shapes, or one number on one side")

"""What a lemma's file binds its formulas with: a record named like the form, and mutations that must be refuted."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from ntkverify.networks.nouns import IN_BALL, Point, Problem

Formula = Callable[[Problem, Point, Mapping[str, Any]], jax.Array]
Condition = Callable[[Problem, Mapping[str, Any]], jax.Array]
Factor = float | Callable[[Problem, Point, Mapping[str, Any]], jax.Array | float]


def always(problem: Problem, point: Point, constants: Mapping[str, Any]) -> jax.Array:
    """A Boolean, always true: no assumption beyond the setting.  Source: docs/design.md."""
    return jnp.asarray(True)


@dataclass(frozen=True)
class Twin:
    """A mutation of a claim that must be refuted where the claim holds; what is None stays the claim's own."""

    mutation: str
    lhs: Formula | None = None
    rhs: Formula | None = None
    assumptions: Formula | None = None


@dataclass(frozen=True)
class Form:
    """A form of a lemma: two sides to compare, and where.  The file's name for it is the one that its docstring states
    in brackets: `derived = Form(lhs, rhs)` binds [derived].

    Every formula is a pure function of (problem, point, constants).  `lhs` and `rhs` may be arrays: the form then holds
    entry by entry.
    """

    lhs: Formula
    rhs: Formula
    _: KW_ONLY
    assumptions: Formula = always
    """Gives one boolean: whether the form says something at this point."""
    of_problem: Mapping[str, Condition] = field(default_factory=dict)
    """What the form assumes beside them of the problem, whatever is drawn: in words, each with a function of (problem,
    constants) that gives one boolean.  Where one is false the form is not applicable, and the verdict names it."""
    where: str = IN_BALL
    """AT_START: W̃ = W(0); IN_BALL: W̃ in the ball of radius R around W(0); ON_PATH: along training."""
    constants: Mapping[str, float] = field(default_factory=dict)
    """Numbers that the formulas read and that can be changed without compiling again."""
    beyond: Formula | None = None
    """log₁₀ of the factor by which a width or step size that the form assumes is missed."""
    inside: tuple[Formula, ...] = ()
    """Functions, numbers or arrays of order one, that are ≥ 0 where the form says something: assumptions by which a
    search finds its way in."""
    only_confirmed: str = ""
    """Why points confirm the form and none refutes it, as a sentence: a supremum on the large side of which a part is seen, say.
    Its twins are refuted all the same."""
    twins: tuple[Twin, ...] = ()

    def with_twins(self, *twins: Twin | Callable[["Form"], Twin]) -> "Form":
        """The form with these twins, some of which (`scaled`, `with_constants`) are made from its formulas."""
        made = tuple(twin if isinstance(twin, Twin) else twin(self) for twin in twins)
        return dataclasses.replace(self, twins=made)


def scaled(mutation: str, *, lhs: Factor | None = None, rhs: Factor | None = None) -> Callable[[Form], Twin]:
    """The twin of which a side is multiplied by a number, or by a function of (problem, point, constants).

    `scaled("the constant halved", rhs=0.5)` is handed to `Form.with_twins`.  Source: docs/design.md.
    """
    return lambda form: Twin(mutation, lhs=_times(lhs, form.lhs), rhs=_times(rhs, form.rhs))


def _times(factor: Factor | None, side: Formula) -> Formula | None:
    if factor is None:
        return None
    by = factor if callable(factor) else lambda problem, point, constants: factor
    return lambda problem, point, constants: side(problem, point, constants) * by(problem, point, constants)


def with_constants(mutation: str, **values: float) -> Callable[[Form], Twin]:
    """The twin whose right side reads other numbers for these constants of the form.

    `with_constants("the exponent's sign flipped", exponent=-10.0)`.  Source: docs/design.md.
    """
    return lambda form: Twin(
        mutation, rhs=lambda problem, point, constants: form.rhs(problem, point, {**constants, **values})
    )

"""A claim, executable: the form that a docstring states, bound to three pure functions."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax

from ntkverify.networks.nouns import IN_BALL, Point, Problem
from ntkverify.statements.docstring import Statement, read

Formula = Callable[[Problem, Point, Mapping[str, Any]], jax.Array]


@dataclass(frozen=True)
class Twin:
    """A mutation of a claim that must be refuted where the claim holds."""

    mutation: str
    lhs: Formula | None = None
    rhs: Formula | None = None
    assumptions: Formula | None = None


@dataclass(frozen=True)
class Where:
    """Assumptions that hold where another holds and every function of `inside` is ≥ 0."""

    assumptions: Formula
    inside: tuple[Formula, ...]

    def __call__(self, problem: Problem, point: Point, constants: Mapping[str, Any]) -> jax.Array:
        found = self.assumptions(problem, point, constants)
        for each in self.inside:
            found = found & (jax.numpy.min(each(problem, point, constants)) >= 0)
        return found


def always(problem: Problem, point: Point, constants: Mapping[str, Any]) -> jax.Array:
    """No assumption beyond the setting."""
    return jax.numpy.asarray(True)


@dataclass(frozen=True)
class Claim:
    """One form of one lemma, executable: three pure functions of one signature.

    Hashed by its functions, so that it is a static argument of `jit`; constants travel as arrays.
    `lhs` and `rhs` may be arrays: the claim then holds entry by entry.
    """

    id: str
    lhs: Formula
    rhs: Formula
    assumptions: Formula
    where: str
    """"initialisation": W̃ = W(0); "ball": W̃ in the ball of radius R around W(0); "path": along training."""
    direction: str
    statement: Statement = field(compare=False)
    constants: Mapping[str, float] = field(compare=False, default_factory=dict)
    twins: tuple[Twin, ...] = field(compare=False, default=())
    beyond: Formula | None = None
    """log₁₀ of the factor by which a width or step size that the form assumes is missed; above 0 the form
    is not applicable, and the verdict names the factor."""
    inside: tuple[Formula, ...] = ()
    """Functions that are ≥ 0 where the form says something; `assumptions` says so too, and a search finds its way in
    by them."""

    @property
    def form(self) -> str:
        return self.statement.form

    def promised(self, delta: float) -> float:
        """The probability with which the claim says that it holds."""
        return 1.0 if self.statement.promise == "1" else 1.0 - delta

    def mutated(self, twin: Twin) -> "Claim":
        """The claim with the twin's mutation in place of its own formula."""
        return dataclasses.replace(
            self,
            lhs=twin.lhs or self.lhs,
            rhs=twin.rhs or self.rhs,
            assumptions=twin.assumptions or self.assumptions,
            inside=() if twin.assumptions else self.inside,
            twins=(),
        )


def claim(
    module: str,
    docstring: str | None,
    form: str,
    *,
    lhs: Formula,
    rhs: Formula,
    assumptions: Formula = always,
    where: str = IN_BALL,
    constants: Mapping[str, float] | None = None,
    twins: tuple[Twin, ...] = (),
    beyond: Formula | None = None,
    inside: tuple[Formula, ...] = (),
) -> Claim:
    """Bind the formulas to the form that the module's docstring states.

    `assumptions` gives a boolean; `inside` are functions, numbers or arrays of order one, that are ≥ 0 where the form
    says something.
    """
    statement = read(docstring or "")[form]
    return Claim(
        id=module.rpartition(".")[2].replace("_", "-"),
        lhs=lhs,
        rhs=rhs,
        assumptions=Where(assumptions, inside) if inside else assumptions,
        where=where,
        direction=statement.direction,
        statement=statement,
        constants=constants or {},
        twins=twins,
        beyond=beyond,
        inside=inside,
    )

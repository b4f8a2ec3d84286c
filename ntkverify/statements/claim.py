"""A claim, executable: the form that a docstring states, bound to three pure functions."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax

from ntkverify.networks.nouns import Point, Problem
from ntkverify.statements.docstring import Statement
from ntkverify.statements.form import Condition, Form, Formula, Twin


@dataclass(frozen=True)
class Where:
    """Assumptions that hold where others hold, every function of `inside` is ≥ 0, and the problem is as it has to be."""

    assumptions: Formula
    inside: tuple[Formula, ...]
    of_problem: tuple[tuple[str, Condition], ...]

    def __call__(self, problem: Problem, point: Point, constants: Mapping[str, Any]) -> jax.Array:
        found = self.assumptions(problem, point, constants)
        for each in self.inside:
            found = found & (jax.numpy.min(each(problem, point, constants)) >= 0)
        for _, condition in self.of_problem:
            found = found & condition(problem, constants)
        return found


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
    of_problem: tuple[tuple[str, Condition], ...] = ()
    """What it assumes of the problem, whatever is drawn, in words; `assumptions` says so too."""
    only_confirmed: str = ""
    """Why no point refutes it, or nothing (`Form`)."""

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
            of_problem=() if twin.assumptions else self.of_problem,
            only_confirmed="",
            twins=(),
        )


def bind(id: str, statements: Mapping[str, Statement], names: Mapping[str, object]) -> tuple[Claim, ...]:
    """The claims of a file: each form that its docstring states, in that order, with the `Form` of that name.

    `names` are the file's.  Raises ValueError where a form lacks its record, or a record its form.
    """
    forms = {name: value for name, value in names.items() if isinstance(value, Form)}
    for name in (*statements, *forms):
        if name not in forms:
            raise ValueError(f"states [{name}] and binds no {name} = Form(...)")
        if name not in statements:
            raise ValueError(f"binds {name} = Form(...) and states no [{name}]")
    return tuple(_claim(id, statement, forms[name]) for name, statement in statements.items())


def _claim(id: str, statement: Statement, form: Form) -> Claim:
    parts = {each.name: getattr(form, each.name) for each in dataclasses.fields(form)}
    parts["of_problem"] = tuple(form.of_problem.items())
    if form.inside or form.of_problem:
        parts["assumptions"] = Where(form.assumptions, form.inside, parts["of_problem"])
    return Claim(id=id, direction=statement.direction, statement=statement, **parts)

"""Rows: what a run has found, as it stands in results.json and draws.csv."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ntkverify import catalogue
from ntkverify.certifying.pointfile import save_point
from ntkverify.ground.environment import environment
from ntkverify.ground.results import SCHEMA, save
from ntkverify.ground.shown import Kept, Shown
from ntkverify.judging.evidence import Evidence, joined, silent
from ntkverify.judging.verdict import NOT_APPLICABLE, Verdict, judge, unjudged
from ntkverify.statements.claim import Claim
from ntkverify.statements.docstring import Statement
from ntkverify.verifying.certification import Counterexample
from ntkverify.verifying.description import Description
from ntkverify.verifying.gathering import Gathered
from ntkverify.verifying.instances import Instance

UNDESCRIBED = {
    "lambda": None, "lambda_range": None, "lambda_draws": 0, "lambda_note": "", "lambda_inf": None, "limit_error": None,
}  # fmt: skip
"""What an instance's row lacks until it is described."""


@dataclass
class Rows(Shown):
    """What a run has found so far; `results()` is valid at any moment."""

    config: dict
    statements: Mapping[str, Sequence[Statement]] = field(default_factory=dict)
    """What each claim's forms state, by the claim's id."""
    problems: list[dict] = field(default_factory=list)
    kernels: list[dict] = field(default_factory=list)
    claims: list[dict] = field(default_factory=list)
    draws: list[dict] = field(default_factory=list)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    """"<problem>/kernel/<route>" and "<problem>/eigenvalues/<H(0) by draw, or the limit>"."""
    left_out: list[str] = field(default_factory=list)
    refuting: dict[str, Counterexample] = field(default_factory=dict)
    """By the name of the file that `check` reads."""
    yours: frozenset[str] = frozenset()
    """Ids of lemmas of the user's own."""
    complete: bool = False

    def results(self) -> dict:
        """The content of results.json."""
        return {
            "schema": SCHEMA,
            "verb": "verify",
            "config": self.config,
            "complete": self.complete,
            "environment": environment(),
            "left_out": self.left_out,
            "problems": self.problems,
            "kernels": self.kernels,
            "claims": self.claims,
            "summary": {
                "verdicts": dict(Counter(row["verdict"] for row in self.claims)),
                "kernel_routes_disagreeing": sum(row["agree"] is False for row in self.kernels),
            },
            "theorems": [
                dataclasses.asdict(catalogue.theorem(name))
                for name, claims in catalogue.THEOREMS.items()
                if set(claims) & {row["id"] for row in self.claims}
            ],
            "statements": [
                {"id": name, **dataclasses.asdict(statement)}
                for name in dict.fromkeys(row["id"] for row in self.claims)
                for statement in self.statements[name]
            ],
        }

    def kept(self) -> Kept:
        """What `save` writes, the counterexamples aside."""
        return self.results(), self.draws, self.arrays

    def save(self, folder: Path) -> None:
        """Write results.json, draws.csv, arrays.npz and the counterexamples into a folder."""
        for name, (form, problem, point, source) in self.refuting.items():
            save_point(folder / name, form, problem, point, {"from": "verify --certify"}, source)
        save(folder, self.results(), self.draws, self.arrays)

    def with_partial(self, instance: Instance, delta: float, gathered: Sequence[Gathered] = ()) -> "Rows":
        """These rows and those of an instance that is being worked on; these stay as they are."""
        lists = {name: list(getattr(self, name)) for name in ("claims", "draws")}
        found = dataclasses.replace(self, problems=[*self.problems, instance.row | UNDESCRIBED], **lists)
        found.judge(instance, gathered, delta)
        return found

    def of(self, instance: Instance) -> list[dict]:
        """The rows of its claims."""
        return [row for row in self.claims if row["problem"] == instance.id]

    def describe(self, said: Description) -> None:
        """Add the instance's row, the comparison of its kernels and their arrays."""
        self.problems.append(said.row)
        self.kernels += said.kernels
        self.arrays |= said.arrays
        if said.left_out and said.left_out not in self.left_out:
            self.left_out.append(said.left_out)

    def judge(self, instance: Instance, gathered: Sequence[Gathered], delta: float) -> None:
        """Add a row for each form of which there is evidence, or a reason why not, and one for each of its draws."""
        for each in gathered:
            if each.parts:
                evidence = joined(each.parts)
                reason = "" if evidence.applicable.any() else silent(each.form, instance.problem)
                self._claim(instance.id, each, judge(each.form, evidence, delta, reason), delta)
                self._draws(instance.id, each.form, evidence)
            elif each.elsewhere:
                self._claim(instance.id, each, unjudged(0, each.elsewhere, NOT_APPLICABLE), delta)
            elif each.refused:
                reason = f"It could not be evaluated with its rounding error: {each.refused}."
                self._claim(instance.id, each, unjudged(each.draws, reason), delta)

    def _claim(self, problem: str, gathered: Gathered, found: Verdict, delta: float) -> None:
        claim = gathered.form
        self.claims.append(
            {
                "problem": problem,
                "id": claim.id,
                "title": claim.statement.title,
                "source": claim.statement.source,
                "label": claim.form,
                "form": claim.form,
                "yours": claim.id in self.yours,
                "direction": claim.direction,
                "promised_probability": claim.promised(delta),
                "draws": found.draws,
                "applicable": found.applicable,
                "held": found.held,
                "undecided": found.undecided,
                "hold_rate_interval": list(found.interval),
                "log10_ratio": {"median": found.median, "worst": found.worst},
                "infinite": found.infinite,
                "exponent": found.exponent,
                "beyond": found.beyond,
                "constants": dict(claim.constants),
                "verdict": found.verdict,
                "sentence": found.sentence,
                "seconds": round(gathered.seconds, 3),
                "bracket": None,
                "twins": None,
            }
        )

    def _draws(self, problem: str, claim: Claim, evidence: Evidence) -> None:
        columns = zip(evidence.outcome, evidence.small, evidence.large, evidence.ratio, evidence.allowance, strict=True)
        self.draws += [
            {"problem": problem, "claim": claim.id, "form": claim.form, "draw": index, "outcome": str(outcome)}
            | {
                name: _number(float(value))
                for name, value in zip(("small", "large", "ratio", "allowance"), values, strict=True)
            }
            for index, (outcome, *values) in enumerate(columns)
        ]


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None

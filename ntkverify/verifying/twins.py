"""Whether a lemma of the user's own could fail: its twins on a chunk of its draws.

Twins of the catalogue's claims are refuted by the tests.
"""

from collections.abc import Sequence

from ntkverify.arithmetic.unknown import UnknownOperation
from ntkverify.ground.devices import alone
from ntkverify.ground.settings import Settings
from ntkverify.judging.draws import chunks
from ntkverify.judging.evidence import examine
from ntkverify.networks.kinds import elsewhere
from ntkverify.networks.nouns import IN_BALL, ON_PATH
from ntkverify.statements.claim import Claim
from ntkverify.verifying.gathering import draws
from ntkverify.verifying.instances import Instance


def try_twins(rows: Sequence[dict], instance: Instance, forms: Sequence[Claim], settings: Settings) -> None:
    """Put into the row of each form what became of its twins, and a sentence where none is refuted."""
    by_form = {(row["id"], row["form"]): row for row in rows}
    for form in forms:
        row = by_form[form.id, form.form]
        if elsewhere(form.statement.networks, instance.problem.network) or not row["applicable"]:
            continue
        row["twins"] = [
            {"mutation": twin.mutation, "refuted": refuted, "applicable": applicable}
            for twin, (refuted, applicable) in zip(form.twins, _refuted(form, instance, settings), strict=True)
        ]
        if not any(twin["refuted"] for twin in row["twins"]):
            row["sentence"] += (
                " No twin of it is refuted on these draws, and a check that cannot fail checks nothing: give it one that must be "
                "(ntkverify new claim)."
            )


def _refuted(form: Claim, instance: Instance, settings: Settings) -> list[tuple[int, int]]:
    """(draws that refute it, applicable draws) of each twin, of the first chunk."""
    if not form.twins:
        return []
    where = ON_PATH if form.where == ON_PATH else IN_BALL
    count, points = next(chunks(instance.problem, draws(settings, where), settings.seed, where, alone()))
    try:
        found = examine(tuple(map(form.mutated, form.twins)), instance.problem, points, count, alone())
    except UnknownOperation:
        return [(0, 0)] * len(form.twins)
    return [(int((each.violated & each.applicable).sum()), int(each.applicable.sum())) for each in found]

"""Instance → points → evidence, chunk by chunk, for all claims at once."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat

from ntkverify.arithmetic.unknown import UnknownOperation
from ntkverify.ground.environment import cores
from ntkverify.ground.settings import Settings
from ntkverify.judging.draws import chunks
from ntkverify.judging.evidence import Evidence, begun, collected
from ntkverify.networks.kinds import elsewhere
from ntkverify.networks.nouns import IN_BALL, ON_PATH
from ntkverify.statements.claim import Claim
from ntkverify.verifying.instances import Instance

TRAINED = 60
"""Networks that are trained for the claims about training."""


@dataclass
class Gathered:
    """What the draws showed of one form."""

    form: Claim
    draws: int
    parts: list[Evidence] = field(default_factory=list)
    """By chunk, in their order."""
    refused: str = ""
    """Why it could not be evaluated, or nothing."""
    elsewhere: str = ""
    """Why it does not speak of the network, or nothing."""
    seconds: float = 0.0


def draws(settings: Settings, where: str) -> int:
    """How many networks are drawn: those that are trained are fewer."""
    return min(settings.seeds, TRAINED) if where == ON_PATH else settings.seeds


def gather(
    instance: Instance, chosen: Sequence[tuple[Claim, ...]], settings: Settings, progress,
    kept: Callable[[list[Gathered]], None] = lambda gathered: None,
) -> tuple[list[Gathered], bool]:  # fmt: skip
    """The evidence for each form, and whether Ctrl-C cut it short: then that of the chunks that were done.  `kept` is told
    what there is after each step."""
    found = {form: Gathered(form, draws(settings, form.where)) for forms in chosen for form in forms}
    for form, gathered in found.items():
        gathered.elsewhere = elsewhere(form.statement.networks, instance.problem.network)
    for forms in chosen:
        if all(found[form].elsewhere for form in forms):
            progress(f"{instance.id}: {forms[0].id}", draws(settings, forms[0].where))
    chosen = [tuple(form for form in forms if not found[form].elsewhere) for forms in chosen]
    chosen = [forms for forms in chosen if forms]

    def timed(forms, points):
        started = time.perf_counter()
        try:
            evidence = begun(forms, instance.problem, points)
        except UnknownOperation as error:
            evidence = str(error)
        return evidence, (time.perf_counter() - started) / len(forms)

    try:
        # Threads, because compiling and most of evaluating a claim keep only one core busy.
        with ThreadPoolExecutor(cores()) as pool:
            for where, group in _by_place(chosen):
                for count, points in chunks(instance.problem, draws(settings, where), settings.seed, where):
                    progress(f"{instance.id}: {len(group)} claims {where}")
                    jobs = pool.map(timed, group, repeat(points))
                    for forms, (evidence, spent) in zip(group, jobs, strict=True):
                        # Collected here: processes that have joined do it in one order.
                        evidence = evidence if isinstance(evidence, str) else collected(evidence, count)
                        for index, form in enumerate(forms):
                            found[form].seconds += spent
                            if isinstance(evidence, str):
                                found[form].refused = evidence
                            else:
                                found[form].parts.append(evidence[index])
                        progress(f"{instance.id}: {forms[0].id}", count)
                        kept(list(found.values()))
    except KeyboardInterrupt:
        return list(found.values()), True
    return list(found.values()), False


def _by_place(chosen: Sequence[tuple[Claim, ...]]) -> list[tuple[str, list[tuple[Claim, ...]]]]:
    """The claims at initialisation and in the ball, which share their points, then those along training."""
    trained = [forms for forms in chosen if forms[0].where == ON_PATH]
    fixed = [forms for forms in chosen if forms[0].where != ON_PATH]
    return [(where, group) for where, group in ((IN_BALL, fixed), (ON_PATH, trained)) if group]

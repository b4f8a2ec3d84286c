"""The verb `verify`: settings → instances → points → evidence → verdicts → rows."""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ntkverify import catalogue
from ntkverify.ground.programs import make_room
from ntkverify.ground.progress import Counted
from ntkverify.ground.settings import Settings
from ntkverify.judging.trial import tried
from ntkverify.verifying.certification import settle
from ntkverify.verifying.description import describe
from ntkverify.verifying.gathering import draws, gather
from ntkverify.verifying.instances import make_instances
from ntkverify.verifying.rows import Rows
from ntkverify.verifying.twins import try_twins


def verify(
    settings: Settings,
    claims: tuple[str, ...] = (),
    heard: Callable[[str, int, int], None] = lambda what, done, total: None,
    certify: float | None = None,
    kept: Callable[[Callable[[], Rows]], None] = lambda so_far: None,
) -> Rows:
    """Check the claims (all of the catalogue's by default) on every data set and network.

    With `certify`, each form is then decided with every rounding enclosed, at the worst points of a
    few draws and at the worst that a search of so many seconds finds; its verdict may become `proved`.
    `heard(what, done, total)` is told of progress; after each step `kept` is handed a function that gives the rows so far.
    After an interruption the exception's `rows` attribute holds what was finished.
    """
    names = catalogue.expanded(claims) or catalogue.CLAIMS
    asked = {} if certify is None else {"certify": True, "certify_seconds": certify}
    rows = Rows(settings.config(claims=list(claims), **asked))
    try:
        chosen = [catalogue.claims(name) for name in names]
        sources = {forms[0].id: _source(name) for name, forms in zip(names, chosen, strict=True)}
        rows.yours = frozenset(id for id, file in sources.items() if file)
        rows.statements = {forms[0].id: [form.statement for form in forms] for forms in chosen}
        instances = make_instances(settings, certified=certify is not None)
        for forms in chosen:
            if sources[forms[0].id]:
                tried(forms, instances[0].problem)
        steps = 1 + sum(draws(settings, forms[0].where) for forms in chosen)
        steps += 0 if certify is None else sum(map(len, chosen))
        progress = Counted(heard, len(instances) * steps)
        for instance in instances:
            make_room()
            with ThreadPoolExecutor(1) as aside:  # its compiling overlaps with the claims'
                description = aside.submit(describe, instance, settings)
                so_far = functools.partial(rows.with_partial, instance, settings.delta)
                gathered, interrupted = gather(
                    instance, chosen, settings, progress, lambda some, so_far=so_far: kept(lambda: so_far(some))
                )
                rows.judge(instance, gathered, settings.delta)
                for forms in (each for each in chosen if sources[each[0].id] and not interrupted):
                    try_twins(rows.of(instance), instance, forms, settings)
                if certify is not None and not interrupted:
                    own = rows.of(instance)
                    interrupted = settle(
                        own, instance, chosen, sources, settings, certify, rows.refuting, progress,
                        lambda so_far=so_far: kept(so_far),
                    )  # fmt: skip
                progress(f"{instance.id}: kernels")
                rows.describe(description.result())
                progress(f"{instance.id}: kernels", 1)
            if interrupted:
                raise KeyboardInterrupt
        rows.complete = True
    except KeyboardInterrupt as interruption:
        interruption.rows = rows  # type: ignore[attr-defined]
        raise
    return rows


def _source(name: str) -> str:
    """The file of a user's own claim, or nothing."""
    return str(Path(name).resolve()) if catalogue.own(name) else ""

"""The verbs, and how their help is told."""

import inspect
from typing import Annotated, Any, Union

import tyro

from ntkverify import catalogue
from ntkverify.cli.options import (
    Certify,
    Check,
    Compare,
    Docs,
    Doctor,
    Export,
    Falsify,
    List,
    Merge,
    New,
    Realise,
    Report,
    Show,
    Study,
    Verify,
)

VERBS = (List, Show, Verify, Study, Merge, Realise, Falsify, New, Check, Certify, Doctor, Report, Export, Compare, Docs)


def verbs(named: str) -> Any:
    """What tyro reads: one of the verbs.  The help of the named one is told in full, of the others the first sentence.

    tyro joins a docstring's lines, and drops a section of examples; a description that is handed to it keeps lines that
    are indented.
    """
    described = {verb: (inspect.getdoc(verb) or "") for verb in VERBS}
    names = {verb: verb.__name__.lower() for verb in VERBS}
    if named == names[Study]:
        described[Study] += f"\n\n{_studies()}"
    told = {verb: said if names[verb] == named else said.partition("\n\n")[0] for verb, said in described.items()}
    return Union[tuple(Annotated[verb, tyro.conf.subcommand(names[verb], description=told[verb])] for verb in VERBS)]  # noqa: UP007 (of a tuple)


def _studies() -> str:
    """Each study's question, and below it a command that asks it."""
    lines = ["Studies:"]
    for name in catalogue.STUDIES:
        question, example = catalogue.question(name)
        lines += [f"  {name:14}{question}", f"  {'':14}{example}"]
    return "\n".join(lines)

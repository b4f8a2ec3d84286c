"""What every verb can be asked beside its own options: how it answers."""

from dataclasses import dataclass, field

import tyro

from ntkverify.ground.errors import BadInput


@dataclass(frozen=True)
class Output:
    """How the answer is given."""

    json: bool = False
    """Print what was found as JSON, and nothing else, on stdout."""
    quiet: bool = False
    """Print nothing but errors; the exit code says what was found."""


@dataclass(frozen=True)
class Asked:
    """A verb with its options; it is run by the file of `cli/` that has its name."""

    output: tyro.conf.OmitArgPrefixes[Output] = field(default_factory=Output, kw_only=True)

    def refuse(self) -> None:
        """`BadInput` for the first option that cannot be right."""

    def refuse_output(self) -> None:
        """`BadInput` for an answer that cannot be given."""
        if self.output.json and self.output.quiet:
            raise BadInput("--json with --quiet", "one of them", "--json > results.json")

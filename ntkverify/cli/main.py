"""The command line: read what was typed, run the verb's file, turn what happens into an exit code.  Starts without JAX."""

import importlib
import importlib.metadata
import sys

import tyro
from rich.console import Console

from ntkverify.cli.exits import BAD_INPUT, CRASHED, FINE, INTERRUPTED
from ntkverify.cli.options import Asked
from ntkverify.cli.verbs import verbs
from ntkverify.ground.errors import BadInput
from ntkverify.ground.terminal import Terminal, forsake_stdout, hush, leave_traceback, spell_out


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        spell_out(stream)
    try:
        arguments = sys.argv[1:] if arguments is None else arguments
        if arguments == ["--version"]:
            print(_versions())
            return FINE
        asked = tyro.cli(
            verbs(arguments[0] if arguments else ""),
            prog="ntkverify",
            description="Takes a theorem about a wide network and tells, with evidence, whether it holds, how loose it is, and where it breaks.\n\n`ntkverify VERB --help` tells a verb in full, with examples; `ntkverify --version` says which this is.",
            args=arguments,
        )
        return _run(asked)
    except BadInput as error:
        print("ntkverify:", *str(error).split(), file=sys.stderr)  # one line, whatever a name holds
        return BAD_INPUT
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        forsake_stdout()
        return FINE
    except Exception as error:
        leave_traceback(error)
        return CRASHED


def _run(asked: Asked) -> int:
    try:
        asked.refuse_output()
        asked.refuse()
        hush(asked.output.quiet)
        verb = _imported(f"ntkverify.cli.{type(asked).__name__.lower()}")
        silent = asked.output.json or asked.output.quiet
        return verb.run(asked, Terminal(width=max(Console().width, 116), quiet=silent, as_json=asked.output.json))
    except SystemExit as exit:  # the option parser's own are raised above; another would be taken for an answer
        raise RuntimeError(f"sys.exit({exit.code!r}) was called") from exit


def _versions() -> str:
    """This program's version and JAX's, which is not started for it."""
    found = {}
    for package in ("ntkverify", "jax"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return f"ntkverify {found['ntkverify']} (JAX {found['jax']})"


def _imported(name: str):
    """The verb's file; most start JAX, which reads the environment."""
    try:
        return importlib.import_module(name)
    except ValueError as error:
        if "JAX flag" not in str(error):
            raise
        raise BadInput(f"an environment in which JAX finds: {error}", "JAX_... variables that JAX can read") from None

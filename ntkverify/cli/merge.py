"""`ntkverify merge`."""

from ntkverify.cli import exits
from ntkverify.cli.options import Merge
from ntkverify.cli.study import show
from ntkverify.ground import results
from ntkverify.ground.errors import BadInput
from ntkverify.ground.progress import set_up_jax
from ntkverify.ground.terminal import Terminal
from ntkverify.studying.run import merge, status


def run(asked: Merge, console: Terminal) -> int:
    """Join the ledgers, write the results, draw the report; say what is missing."""
    set_up_jax("float64")
    configs = [_config(results.load(folder), folder) for folder in asked.dirs]
    for folder, config in zip(asked.dirs, configs, strict=True):
        if config != configs[0]:
            raise BadInput(f"{folder} and {asked.dirs[0]}", "shards of one study with one configuration")
    folder = results.folder("study", configs[0], asked.out, asked.force)
    found = merge(asked.dirs, folder, configs[0])
    violated = show(console, folder, found)
    done, total = status(configs[0], folder)
    if done < total:
        console.print(
            f"{total - done} of {total} cells are missing: their shards, or the study's command with --out {folder}, compute them.",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
    return exits.code(True, violated)


def _config(found: dict, folder) -> dict:
    if found.get("verb") != "study":
        raise BadInput(f"{folder}, which `{found.get('verb')}` wrote", "a folder that `ntkverify study` wrote")
    return found["config"]

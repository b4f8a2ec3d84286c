"""`ntkverify new`."""

from pathlib import Path

from ntkverify.cli.exits import FINE
from ntkverify.cli.options import New
from ntkverify.ground.errors import BadInput
from ntkverify.ground.terminal import Terminal


def run(asked: New, console: Terminal) -> int:
    """Write the template, and print what can be done with it."""
    file = asked.file
    if file.suffix != ".py" or not file.stem.isidentifier():
        raise BadInput(f"the name {file.name!r}", "a Python file's name", "my_lemma.py")
    if file.exists():
        raise BadInput(f"{file} is there already", "a name that is free", f"{file.stem}_2.py")
    template = Path(__file__).parent / "lemma_template.py"
    if asked.what == "network":
        template = Path(__file__).parents[1] / "examples" / f"{asked.like.replace('-', '_')}.py"
    try:
        file.write_text(template.read_text("utf-8"), encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}", "a folder that can be written") from None
    console.tell({"file": str(file), "next": _what_next(asked)})
    for line in _what_next(asked):
        console.print(line, highlight=False, soft_wrap=True)
    return FINE


def _what_next(asked: New) -> list[str]:
    if asked.what == "claim":
        return [f"ntkverify {verb} {asked.file}" for verb in ("show", "verify", "falsify", "certify")]
    data, sizes = DATA.get(asked.like, ("sphere", "--d-in 8 --d-out 2"))
    grid = f"network={asked.file} m=16,32,64,128" + ("" if data == "sphere" else f" data={data} d_in={D_IN[data]}")
    return [
        f"ntkverify verify --network {asked.file} --data {data} --n 6 {sizes} --m 32 --seeds 40",
        f"ntkverify verify mine.py --network {asked.file} --data {data} --n 6 {sizes} --m 32   (a lemma: ntkverify new claim mine.py)",
        f"ntkverify study drift --grid {grid}",
    ]


DATA = {"transformer": ("tokens", "--d-out 2"), "cnn": ("digits", "--d-out 2")}
D_IN = {"tokens": 32, "digits": 64}

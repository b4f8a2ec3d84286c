"""Every kind of page, and the documentation, in a browser: nothing is wider than the window, nothing is complained of, nothing
is asked of the network.

A group of its own (`make test-browser`): it needs Chromium, and the documentation built.
"""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from ntkverify.cli import main as cli

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SMALL = ["--data", "sphere", "--n", "3", "--d-in", "3", "--d-out", "1", "--m", "16"]
RUNS = {
    "verify": ["verify", "softmax-range", "kernel-perturbation", "kernel-limit", *SMALL, "--seeds", "20", "--certify", "--certify-seconds", "0.1"],
    "realise": ["realise", "--data", "orthonormal", "--n", "2", "--d-out", "1"],
    "certify": ["certify", "kernel-entries", *SMALL, "--seeds", "1"],
    "falsify": ["falsify", "kernel-entries", *SMALL, "--budget", "0.5"],
}  # fmt: skip
STUDIES = (
    "drift",
    "width",
    "steps",
    "region",
    "table1",
    "frontier",
    "separation",
    "expressivity",
    "diffusion",
    "convex",
)


@pytest.fixture(scope="session")
def chromium():
    assert CHROMIUM, "Chromium is not installed (Debian: apt-get install chromium)"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session", params=[*RUNS, *STUDIES])
def page(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param in RUNS:
        assert cli.main([*RUNS[request.param], "--out", str(folder), "--force"]) == 0
    else:  # those that are committed
        shutil.copytree(ROOT / "docs" / "results" / request.param, folder, dirs_exist_ok=True)
    assert cli.main(["report", str(folder)]) == 0
    return folder / "report.html"


def faults(chromium, file: Path, width: int) -> list[str]:
    """What is wrong with a page in a window of that width."""
    window = chromium.new_page(viewport={"width": width, "height": 900})
    found: list[str] = []
    window.on(
        "console", lambda said: found.append(f"console: {said.text}") if said.type in ("error", "warning") else None
    )
    window.on("pageerror", lambda error: found.append(f"script: {error}"))
    window.on(
        "request",
        lambda asked: None if asked.url.startswith(("file:", "data:")) else found.append(f"asked for {asked.url}"),
    )
    window.goto(file.resolve().as_uri())
    for details in window.query_selector_all("details"):
        details.evaluate("each => each.open = true")
    wide = window.evaluate("document.documentElement.scrollWidth - innerWidth")
    window.close()
    return found + ([f"{wide} pixels wider than {width}"] if wide > 0 else [])


@pytest.mark.parametrize("width", [1100, 420])
def test_a_page_fits_and_is_whole(chromium, page, width):
    assert faults(chromium, page, width) == []


@pytest.mark.parametrize("width", [1100, 420])
def test_the_documentation_fits_and_is_whole(chromium, width):
    every = sorted((ROOT / "ntkverify" / "site").rglob("*.html"))
    assert len(every) > 60, "it is not built: make docs"
    found = {str(file.relative_to(ROOT)): wrong for file in every if (wrong := faults(chromium, file, width))}
    assert found == {}

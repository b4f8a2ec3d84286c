"""A page for each committed study: its answer and its figures.  The cells stay in the repository, which is named."""

import json
from pathlib import Path


def pages(docs: str | Path) -> dict[str, str]:
    folders = sorted(path.parent for path in Path(docs, "results").glob("*/results.json"))
    found = {folder.name: (folder, json.loads((folder / "results.json").read_text("utf-8"))) for folder in folders}
    rows = [f"| [{name}]({name}.md) | {results['title']} |" for name, (_, results) in found.items()]
    opening = "# Studies\n\nStudies that are committed, each with its answer, its figures and its command.\n"
    listed = "\n".join((opening, "| study | asks |", "|---|---|", *rows, ""))
    return {"results/index.md": listed} | {f"results/{name}.md": _page(*each) for name, each in found.items()}


def _page(folder: Path, results: dict) -> str:
    """Outside the navigation, which stays short; the list of studies and the findings lead here."""
    captions = {spec["name"]: spec.get("caption", "") for spec in results["figures"] if spec.get("name")}
    figures = [
        f"## {path.stem}\n\n![{path.stem}](../../results/{folder.name}/{path.name})\n\n{captions.get(path.stem, '')}\n"
        for path in sorted(folder.glob("*.svg"))
    ]
    kept = f"{len(results['cells'])} cells; every number lies in `docs/results/{folder.name}/results.json` of the repository."
    said = (f"---\norphan: true\n---\n# {folder.name}", results["title"], results["answer"], kept)
    return "\n\n".join((*said, f"```\n{_command(results)}\n```", *figures))


def _command(results: dict) -> str:
    changes = results.get("changes") or []
    grid = f" --grid {' '.join(changes)}" if isinstance(changes, list) and changes else ""
    return f"uv run ntkverify study {results['study']} --preset {results['preset']}{grid}"

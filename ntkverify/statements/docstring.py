"""Reading a claim's docstring, which is where a claim is stated, and the only place.

A claim file opens with its title, then `Field: text` paragraphs (continuation lines are indented),
then one `[form]` section for each form, whose fields are added to the common ones:

    Kernel perturbation

    Networks: softmax
    Setting: ...
    Measured: ...

    [derived]
    Direction: upper
    Statement: $$ \\|H(\\tilde W) - H(W)\\|_F \\le ... $$

Needs no JAX, so that listing claims starts at once.
"""

import re
from dataclasses import dataclass

FORMS = ("stated", "reconstructed", "derived")
NETWORKS = ("any", "two-layer", "logits", "smooth", "normalised", "series", "relu", "softmax")
DIRECTIONS = ("upper", "lower", "tight", "equality", "order")
_FIELDS = (
    "Source", "Networks", "Setting", "Assumes", "Statement", "Direction", "Promise", "Measured", "Proof",
    "Refuted by", "Note",
)  # fmt: skip
_REQUIRED = ("Source", "Setting", "Statement", "Direction", "Measured", "Refuted by")


@dataclass(frozen=True)
class Statement:
    """What one form of a claim says, in words and formulas (LaTeX between dollar signs)."""

    title: str
    form: str
    """stated | reconstructed | derived: also the label that says where the statement comes from."""
    source: str
    networks: str
    """any · two-layer · logits: whose neurons see x by ⟨w,x⟩ alone · smooth: whose second derivative has a known bound · softmax."""
    setting: str
    assumes: str
    statement: str
    direction: str
    """upper: lhs ≤ rhs · lower: lhs ≥ rhs · tight: upper, and attained · equality · order."""
    promise: str
    """"1" for a deterministic claim, "1 - delta" for one that holds with that probability."""
    measured: str
    proof: str
    refuted_by: str
    note: str


def read(docstring: str) -> dict[str, Statement]:
    """The forms that a claim's docstring states, by name.  Raises ValueError on a malformed one."""
    title, _, body = docstring.strip().partition("\n")
    head, *sections = re.split(r"^\[(\w+)\]\s*$", body, flags=re.MULTILINE)
    common = _fields(head)
    return {
        form: _statement(title.strip(), form, common | _fields(text))
        for form, text in zip(sections[::2], sections[1::2], strict=True)
    }


def _fields(text: str) -> dict[str, str]:
    parts = re.split(rf"^({'|'.join(_FIELDS)}):", text, flags=re.MULTILINE)
    if parts[0].strip():
        raise ValueError(f"text outside a field: {parts[0].strip()[:60]!r}")
    return {name: re.sub(r"\s+", " ", value).strip() for name, value in zip(parts[1::2], parts[2::2], strict=True)}


def _statement(title: str, form: str, fields: dict[str, str]) -> Statement:
    missing = [name for name in _REQUIRED if not fields.get(name)]
    if missing:
        raise ValueError(f"{title!r} [{form}] lacks {', '.join(missing)}")
    if form not in FORMS or fields["Direction"] not in DIRECTIONS:
        raise ValueError(f"{title!r}: form {form!r} or direction {fields['Direction']!r} is unknown")
    if fields.get("Networks", "any") not in NETWORKS:
        raise ValueError(f"{title!r}: Networks {fields['Networks']!r} is none of {', '.join(NETWORKS)}")
    if form == "derived" and not fields.get("Proof"):
        raise ValueError(f"{title!r} [derived] lacks its Proof")
    return Statement(
        title=title,
        form=form,
        source=fields["Source"],
        networks=fields.get("Networks", "any"),
        setting=fields["Setting"],
        assumes=fields.get("Assumes", ""),
        statement=fields["Statement"],
        direction=fields["Direction"],
        promise=fields.get("Promise", "1"),
        measured=fields["Measured"],
        proof=fields.get("Proof", ""),
        refuted_by=fields["Refuted by"],
        note=fields.get("Note", ""),
    )

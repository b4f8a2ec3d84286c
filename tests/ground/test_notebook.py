"""Bars in notebooks, and nothing where there is none."""

import sys
import types

from ntkverify.ground import notebook


class Shown:
    def __init__(self):
        self.seen = []

    def display(self, content, raw, display_id):
        self.seen.append(content)
        return self

    def update(self, content, raw):
        self.seen.append(content)


def test_outside_a_notebook_nothing_is_shown(capsys):
    with notebook.bar() as heard:
        heard("work", 1, 2)
    assert capsys.readouterr() == ("", "")


def test_in_a_notebook_a_bar_appears_moves_and_goes(monkeypatch):
    shown = Shown()
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell, display=shown))
    monkeypatch.setattr(notebook, "PATIENCE", 0.0)
    monkeypatch.setattr(notebook, "STEP", 0.0)
    with notebook.bar() as heard:
        heard("a < b", 1, 4)
        heard("a < b", 2, 4)
    assert [each["text/plain"][:13] for each in shown.seen] == ["a < b: 1 of 4", "a < b: 2 of 4", ""]
    assert "a &lt; b" in shown.seen[0]["text/html"]
    assert 'value="2" max="4"' in shown.seen[1]["text/html"]


def test_what_is_quick_shows_no_bar(monkeypatch):
    shown = Shown()
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell, display=shown))
    with notebook.bar() as heard:
        heard("work", 1, 2)
    assert shown.seen == []

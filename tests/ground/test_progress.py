"""What long work says where stderr is no terminal."""

import time

from ntkverify.ground import progress


def test_a_line_now_and_then_says_how_much_time_is_left(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.Progress() as heard:
        for done in range(101):
            heard("lemma", done, 100)
            now[0] += 2.0
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "lemma: 5 of 100 after 0:10",
        "lemma: 35 of 100 after 1:10, about 2:10 left",
        "lemma: 65 of 100 after 2:10, about 1:10 left",
        "lemma: 95 of 100 after 3:10, about 0:10 left",
    ]


def test_what_is_short_says_nothing(capsys):
    with progress.Progress() as heard:
        heard("lemma", 1, 2)
    assert not capsys.readouterr().err


def test_a_long_step_is_not_silent(monkeypatch, capsys):
    for name, seconds in (("FIRST_LINE", 0.05), ("NEXT_LINES", 0.1), ("GLANCE", 0.01)):
        monkeypatch.setattr(progress, name, seconds)
    with progress.Progress() as heard:
        heard("cell", 3, 9)
        time.sleep(0.6)
    lines = capsys.readouterr().err.splitlines()
    assert 3 <= len(lines) <= 7
    assert all(line.startswith("cell: 3 of 9 after") for line in lines)


def test_what_is_kept_is_kept_seldom(monkeypatch):
    now, done = [0.0], []
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    keep = progress.seldom(lambda each: done.append(each), 60.0)
    for second in range(0, 200, 10):
        now[0] = float(second)
        keep(second)
    assert done == [60, 120, 180]

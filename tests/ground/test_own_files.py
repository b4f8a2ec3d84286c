"""A configuration knows the files that it names by their content."""

from ntkverify.ground.own_files import identified, read_with
from ntkverify.ground.settings import Settings, configuration_hash


def test_a_changed_file_is_another_question(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("from helper import one\nimport json\n")
    (tmp_path / "helper.py").write_text("one = 1\n")
    (tmp_path / "data.csv").write_text("1,2\n")
    config = Settings(data=("data.csv",)).config(claims=["mine.py"])
    before = configuration_hash(config)
    assert set(config["files"]) == {"mine.py", "data.csv"}
    for file, content in (("helper.py", "one = 2\n"), ("mine.py", "import helper\n"), ("data.csv", "1,3\n")):
        (tmp_path / file).write_text(content)
        after = configuration_hash(Settings(data=("data.csv",)).config(claims=["mine.py"]))
        assert after != before
        before = after


def test_a_question_without_files_is_known_as_it_was():
    assert "files" not in Settings().config(claims=["kernel-norm"])
    assert identified({"study": "drift", "grid": {"data": "sphere", "m": [1]}}) == {
        "study": "drift", "grid": {"data": "sphere", "m": [1]},
    }  # fmt: skip


def test_files_that_import_each_other_or_cannot_be_parsed_are_read_once(tmp_path):
    (tmp_path / "a.py").write_text("import b\n")
    (tmp_path / "b.py").write_text("import a, broken\n")
    (tmp_path / "broken.py").write_text("def (\n")
    assert [file.name for file in read_with(tmp_path / "a.py")] == ["a.py", "b.py", "broken.py"]

"""The documentation: its commands and options exist, its SQL and Python run, its links lead somewhere."""

import re
import shlex
from pathlib import Path

import click
import grimp
import pytest
from click.testing import CliRunner
from conftest import REPOSITORY

import xlbias
from xlbias.cli import COMMANDS, main
from xlbias.results.caveats import KINDS

pytestmark = pytest.mark.integration

PAGES = sorted(
    path for path in (*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")) if path.name != "CHANGELOG.md"
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def blocks(page: Path, kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(page.read_text("utf-8")) if found == kind]


def command_lines() -> list[tuple[str, str]]:
    """Every command line of xlbias in a plain block, with the page it stands on."""
    found = []
    for page in PAGES:
        text = "\n".join(blocks(page, "")).replace("\\\n", " ")
        lines = (line.partition("#")[0].strip().removeprefix("$ ") for line in text.splitlines())
        found += [
            (page.name, line[line.index("xlbias ") :]) for line in lines if re.search(r"^(\S.*\s)?xlbias \w", line)
        ]
    return [(page, line) for page, line in found if line.split()[1] in COMMANDS]


def test_there_are_pages_and_command_lines():
    assert len(PAGES) > 12
    assert len(command_lines()) > 30


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_a_command_line_is_one_that_xlbias_understands(page, line):
    words = [word for word in shlex.split(line)[1:] if word != "..."]
    group: click.Group = main
    with click.Context(main) as context:
        while True:
            command = group.get_command(context, words.pop(0))
            assert command is not None, (page, line)
            if not isinstance(command, click.Group):
                break
            group = command
        arguments = command.make_parser(click.Context(command)).parse_args(args=words)  # NoSuchOption where it has none
    assert arguments


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_a_link_leads_to_a_file_and_a_heading(page):
    for link in LINK.findall(page.read_text("utf-8")):
        if link.startswith(("http:", "https:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), link
        if anchor:
            heads = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
            anchors = [re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads]
            assert anchor in anchors, link


def test_every_page_is_listed():
    index = (REPOSITORY / "docs" / "README.md").read_text("utf-8")
    for page in (REPOSITORY / "docs").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index, page.name


def test_measures_are_documented_as_they_are():
    shown = CliRunner().invoke(main, ["measures", "--format", "markdown"]).output
    assert (REPOSITORY / "docs" / "measures.md").read_text("utf-8").endswith(shown)


def test_the_python_of_the_api_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for text in blocks(REPOSITORY / "docs" / "api.md", "python"):
        exec(compile(text, "docs/api.md", "exec"), names)  # noqa: S102 (the code is the documentation's own)
    assert (tmp_path / "out" / "hybrid" / "model.safetensors").exists()


def test_the_python_of_the_page_of_systems_runs(tmp_path, monkeypatch):
    pytest.importorskip("bm25s")
    monkeypatch.chdir(tmp_path)
    (text,) = blocks(REPOSITORY / "docs" / "systems.md", "python")
    exec(compile(text, "docs/systems.md", "exec"), {})  # noqa: S102 (the code is the documentation's own)
    run = xlbias.open_run("bm25.parquet")
    assert run.models[0].name == "BM25" and run.matrix("ndcg@10").height == 3


def test_the_python_of_the_training_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (text,) = blocks(REPOSITORY / "docs" / "training.md", "python")
    names = {"ENCODER": str(REPOSITORY / "models" / "static-small")}
    exec(compile(text, "docs/training.md", "exec"), names)  # noqa: S102 (the code is the documentation's own)
    assert names["trainer"].state.global_step == 5


def test_every_public_name_is_on_the_api_page():
    page = (REPOSITORY / "docs" / "api.md").read_text("utf-8")
    for name in xlbias.__all__:
        assert name == "__version__" or f"`{name}" in page, name


def test_the_sql_of_the_run_file_page_answers(tmp_path, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(tmp_path)
    task = xlbias.load_task("builtin:calendar[split=test;languages=en,de,th]")
    run = xlbias.evaluate("static-small", task, out="run.parquet")
    questions = blocks(REPOSITORY / "docs" / "run-file.md", "sql")
    assert len(questions) == 7
    answers = [duckdb.sql(question).pl() for question in questions]
    assert all(answer.height for answer in answers)
    numbers = dict(run.settings.select("setting", "map").iter_rows())
    assert {row["setting"]: pytest.approx(row["map"]) for row in answers[1].iter_rows(named=True)} == numbers
    mixed = duckdb.sql("SELECT avg(value) FROM 'run.parquet' WHERE measure = 'map'").fetchall()[0][0]
    assert min(abs(mixed - value) for value in numbers.values()) > 0.001  # the trap of the page is one
    worst = answers[2].row(0, named=True)
    cells = run.matrix("map").drop("multilingual")
    lowest = min(
        (row[pool], row["query_language"], pool) for row in cells.iter_rows(named=True) for pool in cells.columns[1:]
    )
    assert (worst["query_language"], worst["pool"]) == lowest[1:]
    assert worst["map"] == pytest.approx(lowest[0])
    assert dict(answers[6].iter_rows())["value"]


def test_no_walk_of_contributing_goes_back_up():
    """Every arrow leads to a module that the one before imports, itself or through others."""
    page = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
    walks = page[page.index("## Three walks") : page.index("## Add a measure")]
    arrows = re.findall(r"`([\w/]+)\.py`\s+→\s+(?=`([\w/]+)\.py`)", walks)
    assert len(arrows) > 20
    graph = grimp.build_graph("xlbias", exclude_type_checking_imports=True)
    for above, below in arrows:
        importer, imported = (f"xlbias.{name.replace('/', '.')}" for name in (above, below))
        assert graph.find_shortest_chain(importer=importer, imported=imported), f"{above} → {below}"


def test_every_kind_of_caveat_is_on_the_page_of_significance():
    page = (REPOSITORY / "docs" / "significance.md").read_text("utf-8")
    for kind in KINDS:
        assert f"| `{kind}` |" in page, kind

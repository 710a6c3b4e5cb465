"""A measure is one file: of each family one that nobody knows of is computed, listed, reported and checked; or refused.

Each runs in a process of its own, with a folder of new files on the path of the family's package, where the registry
looks for measures.
"""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from xlbias.errors import MeasureError
from xlbias.measures.measure import Measure, computed
from xlbias.measures.registry import measures

pytestmark = pytest.mark.e2e

NEW = {
    "quality": ("takes rankings", "lambda rankings: np.full(rankings.n, 0.25)", ""),
    "bias": ("takes pooled rankings", "lambda rankings: np.full(rankings.n, 0.25)", ""),
    "alignment": ("takes two languages", "lambda x, y: np.full(len(x), 0.25)", 'takes="parallel vectors"'),
    "texts": ("takes counts", "lambda counts: float(len(counts.tokens)) / len(counts.tokens) / 4", ""),
    "seen": ("takes fingerprints", "lambda prints, known: prints > 0", 'takes="query fingerprints", high=np.inf'),
}
FILE = """
import numpy as np
from xlbias.measures.measure import Measure
MEASURES = (Measure("new_{name}", "new {name}", "{family}", "a new one that {words}", {compute}, "nobody",
                    undefined="never"{more}),)
"""
MORE = {
    "vectors": ("lambda vectors: 0.25", 'takes="vectors"'),
    "similarity": ("lambda similarity: 0.25", 'takes="similarity"'),
    "labelled": ("lambda vectors, languages, ids, seed: np.full(len(vectors), 0.25)", 'takes="labelled vectors"'),
}
SCRIPT = """
import importlib, json, sys
import numpy as np
from pathlib import Path
sys.path[:0] = {path!r}
for family in ("quality", "bias", "alignment", "texts", "seen"):
    package = importlib.import_module(f"xlbias.measures.{{family}}")
    package.__path__.append(str(Path({folder!r}) / family))
from click.testing import CliRunner
from support import make_task, ngram_counts
from xlbias.check.requirement import parse
from xlbias.check.run_fields import RunFields
from xlbias.cli import main
from xlbias.encode.trained_on import TrainedOn
from xlbias.evaluation import evaluate
from xlbias.results.run import open_run

class Counts:
    def __init__(self, n):
        self.tokens, self.unknown, self.cut = np.full(n, 5), np.zeros(n, int), np.zeros(n, bool)

class Counting:
    name, dimension, similarity, fingerprint = "made", 48, "cosine", "made-1"
    trained_on = TrainedOn()
    def encode(self, texts, kind):
        return ngram_counts(list(texts))
    def count_tokens(self, texts, kind):
        return Counts(len(texts))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What a process with new measures in all families tells of them."""
    folder = tmp_path_factory.mktemp("new")
    for family, (words, compute, more) in NEW.items():
        write(folder, family, family, words, compute, more)
    for name, (compute, more) in MORE.items():
        write(folder, name, "alignment", f"takes {name}", compute, more)
    done = run(folder, ASKED)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write(folder, name, family, words, compute, more=""):
    (folder / family).mkdir(exist_ok=True)
    content = FILE.format(name=name, family=family, words=words, compute=compute, more=more and f", {more}")
    (folder / family / f"new_{name}.py").write_text(content, "utf-8")


def run(folder, asked):
    code = SCRIPT.format(path=[str(Path(__file__).parents[1])], folder=str(folder)) + asked
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)


ASKED = """
task = make_task(12, "made").select_languages(["de", "en", "zh"])
run = evaluate(Counting(), task, Path(sys.argv[1]) / "run.parquet")
run = open_run(run.path)
summary = run.summary
names = sorted(name for name in run.summary["measure"].unique() if "new_" in name)
asked = lambda *words: CliRunner().invoke(main, words, catch_exceptions=False).output
fields = RunFields(run, "made", "made")
held = {}
for text in ("new_quality.multilingual == 0.25", "new_bias == 0.25", "passages.new_alignment[de,en] == 0.25",
             "passages.new_vectors[de] == 0.25", "queries.new_texts[zh] == 0.25", "new_seen == 36"):
    try: held[text] = parse(text).check(fields).passed
    except Exception as error: held[text] = str(error)
matrix = {m: asked("report", str(run.path), "--matrix", m) for m in ("new_quality", "new_bias")}
print(json.dumps({
    "summary": names,
    "values": {n: sorted(set(summary.filter(summary["measure"] == n)["value"].drop_nulls())) for n in names},
    "list": asked("measures"), "text": asked("report", str(run.path), "--full"), "matrix": matrix,
    "json": json.loads(asked("report", str(run.path), "--format", "json")), "held": held,
    "compare": run.compare(run)["measure"].unique().to_list(),
}))
"""


def test_it_is_in_the_summary(told):
    sides = [f"{side}.new_{name}" for side in ("passages", "queries") for name in ("alignment", "texts", *MORE)]
    assert told["summary"] == sorted(["new_quality", "new_bias", "new_seen", *sides])
    assert {name: value for name, value in told["values"].items() if value != [0.25]} == {"new_seen": [12, 36]}


@pytest.mark.parametrize("name", [*NEW, *MORE])
def test_it_is_listed(told, name):
    assert f"new_{name}" in told["list"]
    assert f"new {name}" in told["list"]


def test_it_is_reported(told):
    for name in ("bias", "alignment", "texts", *MORE):
        assert f"new {name}" in told["text"], name
    assert "new quality of made on made" in told["matrix"]["new_quality"]
    assert "new bias of made on made" in told["matrix"]["new_bias"]


def test_it_is_in_json(told):
    (result,) = told["json"]["results"]
    assert result["settings"]["multilingual"]["new_quality"] == 0.25
    assert result["bias"]["new_bias"]["value"] == 0.25
    assert {f"new_{name}" for name in ("alignment", *MORE)} <= set(result["alignment"]["passages"])
    assert result["texts"]["queries"]["new_texts"]["value"] == 0.25
    assert result["seen"]["new_seen"]["n"] == 36


def test_it_is_checked_and_compared(told):
    held = told["held"]
    assert set(held.values()) == {True}, held
    assert {"new_quality", "new_bias", "passages.new_alignment", "passages.new_similarity"} <= set(told["compare"])


@pytest.mark.parametrize(
    ("family", "more", "said"),
    [
        ("alignment", {}, "does not say its input; a measure of alignment takes vectors, parallel vectors"),
        ("alignment", {"takes": "similarty"}, "takes 'similarty' (did you mean similarity?)"),
        ("texts", {"takes": "vectors"}, "takes 'vectors'; a measure of texts takes token counts"),
        ("qualty", {}, "no family 'qualty' (did you mean quality?)"),
    ],
)
def test_what_is_declared_wrongly_is_refused_in_a_sentence(family, more, said):
    with pytest.raises(MeasureError, match=f"measure 'bad': {re.escape(said)}"):
        Measure("bad", "bad", family, "is bad", len, "nobody", **more)


@pytest.mark.parametrize(
    ("family", "measure", "said"),
    [
        ("bias", {"statistic": "derived"}, "measure 'bad' is 'derived', which nothing computes"),
        ("bias", {"name": "peer"}, "there is a measure 'peer' already"),
        ("bias", {"family": "quality"}, "measure 'bad' is of family 'quality'; move its file there"),
    ],
)
def test_what_nothing_would_compute_is_refused_with_its_file(family, measure, said, tmp_path, monkeypatch):
    package = importlib.import_module(f"xlbias.measures.{family}")
    words = {"name": "bad", "family": family} | measure
    arguments = ", ".join(f"{name}={value!r}" for name, value in words.items())
    (tmp_path / "zzz_bad.py").write_text(
        "from xlbias.measures.measure import Measure\n"
        f"MEASURES = (Measure(label='bad', definition='x', compute=len, source='x', {arguments}),)\n"
    )
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, f"{package.__name__}.zzz_bad", raising=False)
    with pytest.raises(MeasureError, match=rf"{package.__name__}.zzz_bad: {re.escape(said)}"):
        measures.__wrapped__(family)


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (np.zeros(3), r"numbers of shape (3,); expected (4,) or (4, 2)"),
        ("many", "str; expected numbers"),
        (None, "numbers of shape (); expected"),
        ([[1, 2], [3]], "list; expected numbers"),
    ],
)
def test_a_result_that_is_none_is_told_with_the_measure(result, said):
    bad = Measure("bad", "bad", "bias", "is bad", lambda _: result, "nobody")
    with pytest.raises(MeasureError, match=f"measure 'bad': its function returned {re.escape(said)}"):
        computed(bad, None, shapes=((4,), (4, 2)))

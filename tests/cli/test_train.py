"""`xlbias train` as a user runs it: the embedded default, its output, Ctrl-C, and wrong values."""

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from contextlib import suppress
from pathlib import Path

import pexpect
import psutil
import pytest
from processes import hang_up, start

from xlbias.cli import narrate, run
from xlbias.cli.train import _number
from xlbias.encode.load import load_encoder
from xlbias.results.run import open_run

pytestmark = pytest.mark.e2e

QUICK = ["--steps", "3", "--batch-size", "8"]
SMALL = ["--set", "dimension=16", "--set", "vocabulary=1000"]
SQUARES = (("en", "What is the square of", "It is"), ("de", "Was ist das Quadrat von", "Es ist"))


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    path = tmp_path / "facts.jsonl"
    lines = [
        {"id": str(i), "language": language, "query": f"{question} {i}?", "passage": f"{answer} {i * i}."}
        for i in range(12)
        for language, question, answer in SQUARES
    ]
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return f"parallel:{path}"


def test_help_is_light() -> None:
    code = (
        "import sys\n"
        "from xlbias.cli import run\n"
        "run(['train', '--help'])\n"
        "heavy = {'torch', 'numpy', 'polars', 'textual', 'sentence_transformers'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--sampler" in result.stdout
    assert "heavy: []" in result.stdout


def test_a_training_prints_what_it_did(corpus: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine"
    assert run(["train", "--task", corpus, "--out", str(out), "--seed", "4", "--alpha", "1", *QUICK]) == 0
    printed = capfd.readouterr()
    rows = dict(line.split("\t") for line in printed.out.splitlines())
    card = load_encoder(str(out), device="cpu").card
    assert rows["encoder"] == str(out)
    assert rows["steps"] == "3"
    assert rows["loss"] == f"{card['loss']:.4f}"
    assert rows["batches"] == "3 monolingual"
    assert (card["name"], card["seed"], card["alpha"], card["recipe"]["batch_size"]) == ("mine", 4, 1.0, 8)
    assert open_run(out / "training.parquet").training.collect().height == 3
    assert printed.err.splitlines() == [
        "loading the libraries",
        "nothing is held out of facts to validate on: it has 12 query ids, too few to spare 10",
        "mine: hybrid batches of 8 from 12 ids in 2 languages",
        "learning 24,000 sub-words from the training texts",
    ]


def test_quiet_says_nothing(corpus: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "-t", corpus, "-o", str(tmp_path / "out"), "-s", "cross", "--name", "x", "--quiet", *QUICK]
    assert run(arguments) == 0
    assert capfd.readouterr().err == ""
    assert load_encoder(str(tmp_path / "out"), device="cpu").card["name"] == "x"


def test_the_training_parts_of_the_embedded_tasks_are_the_default(tmp_path: Path) -> None:
    assert run(["train", "-o", str(tmp_path / "out"), "--steps", "1", "-q", *SMALL]) == 0
    card = load_encoder(str(tmp_path / "out"), device="cpu").card
    names = [f"builtin:{name}[split=train]" for name in ("money", "language", "calendar")]
    assert [source["name"] for source in card["sources"]] == names
    assert card["sampler"] == "hybrid"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--alpha", "0.5", "--sampler", "mono"], "--alpha is for the hybrid sampler, not for mono"),
        (["--alpha", "1.5"], "alpha is 1.5: expected a probability between 0 and 1"),
        (["--steps", "2", "--epochs", "1"], "--steps and --epochs contradict each other"),
        (["--steps", "-1"], "steps is -1: expected at least 1, or 0 for whole epochs"),
        (["--lr", "0"], "learning_rate is 0.0: expected more than 0"),
        (["--temperature", "nan"], "temperature is nan: expected more than 0"),
        (["--recipe", "nosuch"], "unknown recipe 'nosuch'"),
        (["--alpha", "0,half"], "--alpha 0,half: expected probabilities such as 0.5 or 0,0.5,1"),
        (["--seeds", "0"], "seeds is 0: expected at least 1 and at most 10,000"),
        (["--seeds", "2", "--name", "x"], "--name is for one encoder"),
        (["--pivot", "de"], "--pivot is for the english sampler, not for hybrid"),
        (["--sampler", "english"], "facts: no monolingual batch of 256 can be made: at most 12 ids in en can meet"),
        (["--set", "acumulate=2"], "unknown key 'acumulate' (did you mean accumulate?)"),
        (["--set", "mini_batch=4"], "mini_batch is 4: the static encoder has no layers to need it"),
        (["--resume", "--overwrite"], "--resume and --overwrite contradict each other"),
        (["--validate", "none", "--validate", "builtin:money"], "--validate none contradicts the other --validate"),
        (["--code-switch", "0.5"], "--code-switch needs translations of words: give --lexicon"),
        (["--lexicon", "en-de.tsv"], "--lexicon and --code-switch-to are for --code-switch"),
        (["--code-switch", "0.5", "--lexicon", "nowhere.tsv"], "nowhere.tsv: there is no such lexicon"),
        (["--batch-size", "200"], "facts: no monolingual batch of 200 can be made: at most 12 ids in de can meet"),
        (["--device", "tpu"], "device 'tpu': expected cpu, cuda, mps"),
        (["--base", "./nowhere"], "./nowhere: there is no such folder"),
        (
            ["--base", "nowhere", "--batch-size", "4"],
            "'nowhere' is neither a folder here nor a model that could be loaded",
        ),
        (["--task", "parallel:nowhere.jsonl"], "nowhere.jsonl"),
        (["--sampler", "all"], "'all'; choose from english, mixed, mono, cross, hybrid"),
    ],
)
def test_wrong_values_are_one_sentence_and_exit_code_2(
    arguments: list[str], message: str, corpus: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    tasks = [] if "--task" in arguments else ["--task", corpus]
    assert run(["train", "--quiet", "--out", str(out), *tasks, *arguments]) == 2
    printed = capfd.readouterr()
    assert message in printed.err.splitlines()[-1]
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--alpha", "1.5"], "alpha is 1.5: expected a probability between 0 and 1"),
        (["--alpha", "0,nan"], "alpha is nan: expected a probability between 0 and 1"),
        (["--alpha", "0,0"], "alpha: expected different probabilities, not 0, 0"),
        (["--seeds", "0"], "seeds is 0: expected at least 1 and at most 10,000"),
    ],
)
def test_what_needs_no_library_to_be_wrong_is_refused_before_they_are_loaded(
    options: list[str], message: str, corpus: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "-t", corpus, "-o", str(tmp_path / "out"), *options]) == 2
    assert capfd.readouterr().err.splitlines() == [f"xlbias: {message}"]


def test_measures_are_printed_as_reports_show_them() -> None:
    rows = [("mAP mono", 0.991, ".991"), ("rank distance", 0.25, "0.2"), ("rank distance", 1234.5, "1,234")]
    assert [_number(name, value) for name, value, _ in rows] == [text for _, _, text in rows]
    assert _number("mAP mono", None) == ""


@pytest.fixture
def lexicon(tmp_path: Path) -> str:
    file = tmp_path / "de-en.tsv"
    file.write_text("hauptstadt\tcapital\nland\tcountry\n", "utf-8")
    return str(file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--code-switch", "2"], "the probability of code-switching is 2.0: expected one between 0 and 1"),
        (["--code-switch", "1", "--code-switch-mode", "bilingual"], "bilingual code-switching needs a target language"),
        (["--code-switch", "1", "--code-switch-to", "de"], "multilingual code-switching draws the target language"),
    ],
)
def test_wrong_code_switching_is_one_sentence(
    options: list[str], message: str, corpus: str, lexicon: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "-q", "-t", corpus, "-o", str(tmp_path / "out"), "--lexicon", lexicon, *options]) == 2
    assert message in capfd.readouterr().err.splitlines()[-1]


def test_a_code_switched_training_says_how_many_words_it_replaced(
    lexicon: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "capitals.jsonl"
    with file.open("w", encoding="utf-8") as lines:
        for i in range(40):
            for language, query in (
                ("de", f"Welche Hauptstadt hat Land {i}?"),
                ("en", f"Which capital has country {i}?"),
            ):
                item = {"id": f"q{i}", "language": language, "query": query, "passage": f"{query} {i} {i * i}"}
                lines.write(json.dumps(item) + "\n")
    out = tmp_path / "out"
    arguments = ["train", "-t", f"parallel:{file}", "-o", str(out), "--code-switch", "0.5", "--lexicon", lexicon]
    assert run([*arguments, "--validate", "none", "-q", *QUICK]) == 0
    rows = dict(line.split("\t") for line in capfd.readouterr().out.splitlines())
    card = load_encoder(str(out), device="cpu").card
    words = card["batches"]["words"]
    assert rows["code-switched"] == (
        f"{words['replaced']:,} of {words['translatable']:,} translatable words, of {words['words']:,} words"
    )
    assert words["translatable"] == 3 * 8 * 2 * 2  # batches of 8 pairs, two texts each, both words of every text
    assert 0 < words["replaced"] < words["translatable"]
    assert card["code_switch"]["probability"] == 0.5
    assert card["code_switch"]["lexicons"][0]["name"] == "de-en.tsv"
    assert str(tmp_path) not in json.dumps(card["code_switch"])


def test_a_grid_prints_a_line_for_each_encoder(corpus: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(["train", "-t", corpus, "-o", str(out), "--alpha", "0,1", "--seeds", "2", "-q", *QUICK]) == 0
    header, *rows = [line.split("\t") for line in capfd.readouterr().out.splitlines()]
    assert header[:6] == ["encoder", "alpha", "seed", "steps", "seconds", "loss"]
    assert [row[0] for row in rows] == [
        str(out / f"hybrid-alpha{alpha}-seed{seed}") for alpha in (0, 1) for seed in (0, 1)
    ]
    assert {row[3] for row in rows} == {"3"}
    assert len(open_run(out / "training.parquet").models) == 4


def test_a_recipe_is_shown_with_all_that_overrides_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--base", "xlm-r", "--set", "precision=bf16", "--batch-size", "512", "--show"]) == 0
    shown = tomllib.loads(capfd.readouterr().out)
    assert (shown["base"], shown["precision"], shown["batch_size"]) == ("FacebookAI/xlm-roberta-base", "bf16", 512)
    assert run(["train", "--recipe", "xlm-r", "--base", "labse", "--show"]) == 0
    assert tomllib.loads(capfd.readouterr().out)["base"] == "sentence-transformers/LaBSE"
    assert run(["train", "--recipe", "xlm-r", "--base", "some/other", "--show"]) == 0
    assert tomllib.loads(capfd.readouterr().out)["base"] == "some/other"


def test_a_base_by_its_hub_name_has_its_recipe_and_another_keeps_its_prompts(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--base", "intfloat/multilingual-e5-small", "--show"]) == 0
    shown = tomllib.loads(capfd.readouterr().out)
    assert (shown["query_prefix"], shown["passage_prefix"], shown["patience"]) == ("query: ", "passage: ", 3)
    assert run(["train", "--base", "some/other", "--passage-prompt", "Text: ", "--show"]) == 0
    shown = tomllib.loads(capfd.readouterr().out)
    assert "query_prefix" not in shown
    assert shown["passage_prefix"] == "Text: "


def test_without_a_folder_there_is_nothing_to_train_into(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["train"]) == 2
    assert capfd.readouterr().err.splitlines()[-1] == "xlbias: Missing option '--out' / '-o'."


def test_a_folder_that_holds_something_is_refused(
    corpus: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "-q", "-t", corpus, "-o", str(tmp_path), *QUICK]) == 2
    assert capfd.readouterr().err.splitlines() == [
        f"xlbias: {tmp_path}: is not empty: choose another folder, continue the training there with --resume, or "
        "replace its checkpoint with --overwrite"
    ]


def say_often(arguments: list[str]) -> int:
    """Run a command that says how far it is ten times a second, and not twice a minute."""
    narrate._INTERVAL = 0.1
    return run(arguments)


def test_ctrl_c_ends_with_130_and_keeps_the_curve(corpus: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["train", "--task", corpus, "--out", str(out), "--steps", "1000000", "--batch-size", "8"]
    printed = tmp_path / "printed"
    process = start(say_often, arguments, output=printed)
    while process.is_alive() and not (printed.exists() and ": training, " in printed.read_text("utf-8")):
        time.sleep(0.05)  # until a first report of progress: it trains
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    process.join()
    assert process.exitcode == 130
    lines = printed.read_text("utf-8").splitlines()
    assert "" not in lines  # there is no terminal that shows ^C in a line of its own
    first = next(i for i, line in enumerate(lines) if ": training, " in line)
    said = [line for line in lines[first:] if ": training, " not in line]
    assert said[-1] == "interrupted"
    assert "of 1,000,000 steps; continue with the same command and --resume" in said[-2]
    assert len(said) == 2
    assert sorted(path.name for path in out.iterdir()) == ["checkpoints", "training.parquet.live"]
    run_ = open_run(out / "training.parquet")
    assert run_.state.status == "died"
    assert run_.training.collect().height > 0


@pytest.mark.slow
def test_a_connection_that_drops_saves_a_checkpoint_and_one_that_is_not_heeded_changes_nothing(
    corpus: str, tmp_path: Path
) -> None:
    words = ["train", "--task", corpus, "--steps", "1000000", "--batch-size", "8", "--set", "checkpoint_every=100"]
    for ignoring in (False, True):
        out = tmp_path / f"out-{ignoring}"
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignoring else signal.SIG_DFL)
        try:
            child = pexpect.spawn(sys.executable, ["-m", "xlbias", *words, "--out", str(out)])
        finally:
            signal.signal(signal.SIGHUP, before)
        process = psutil.Process(child.pid)
        run_file = out / "training.parquet"
        deadline = time.monotonic() + 240
        while not (out / "training.parquet.live" / "progress.json").exists():
            assert time.monotonic() < deadline
            with suppress(pexpect.TIMEOUT):
                child.read_nonblocking(65536, timeout=0.2)
        hang_up(child)
        if ignoring:  # it goes on without its terminal, and what it says there is lost
            at = open_run(run_file).state.progress.done
            while open_run(run_file).state.progress.done < at + 300:
                assert process.is_running()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.kill()
        process.wait(300)
        assert list((out / "checkpoints").glob("step-*"))

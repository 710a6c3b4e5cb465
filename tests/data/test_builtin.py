"""The embedded tasks: fully parallel, the same in every process, and not to be solved by comparing letters."""

import os
import re
import subprocess
import sys
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from xlbias.data.builtin import BUILTIN, load_builtin
from xlbias.errors import TaskError

XQUAD_LANGUAGES = ["ar", "de", "el", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"]
FEWEST_WORDINGS = {"questions": 4, "passages": 3}

task_called = cache(load_builtin)


@pytest.fixture(params=BUILTIN)
def name(request):
    return request.param


@pytest.fixture
def task(name):
    return task_called(name)


@pytest.fixture
def templates(name):
    """language → table ("questions", "passages") → kind → wordings, read from the files themselves."""
    folder = files("xlbias.data.builtin") / "templates"
    return {
        path.name.split(".")[1]: tomllib.loads(path.read_text(encoding="utf-8"))
        for path in folder.iterdir()
        if path.name.startswith(f"{name}.")
    }


def test_every_query_is_in_all_languages_with_one_relevant_passage_in_each(name, task):
    assert task.name == f"builtin:{name}"
    assert task.query_languages == task.passage_languages == XQUAD_LANGUAGES
    ids = task.queries["query_id"].unique()
    assert len(ids) >= 400
    assert task.queries.height == len(ids) * len(XQUAD_LANGUAGES)

    language_of = dict(task.passages.select("passage_id", "language").iter_rows())
    relevant = {query_id: [] for query_id in ids}
    for query_id, passage_id, _ in task.qrels.iter_rows():
        relevant[query_id].append(language_of[passage_id])
    assert all(sorted(languages) == XQUAD_LANGUAGES for languages in relevant.values())
    assert set(task.qrels["passage_id"]) == set(language_of)  # no passage that nobody asks for
    assert task.passages["document"].null_count() == 0


def test_no_two_texts_of_a_language_are_equal(task):
    for frame in (task.queries, task.passages):
        assert frame.filter(frame.select("language", "text").is_duplicated()).rows() == []


def test_texts_have_neither_unfilled_slots_nor_control_characters_nor_odd_spaces(task):
    for text in [*task.queries["text"], *task.passages["text"]]:
        assert not re.search(r"[{}]|^\s|\s$|\s\s|[^\S ]", text), text
        # Zero-width (non-)joiners are spelling in Persian and Indic names; any other format character, direction marks
        # among them, would be a trace of where the name was taken from.
        visible = text.translate({0x200C: None, 0x200D: None})
        assert not {unicodedata.category(char) for char in visible} & {"Cc", "Cf", "Cn", "Co", "Cs"}, ascii(text)


def test_every_language_has_the_same_kinds_in_enough_wordings(task, templates):
    assert sorted(templates) == XQUAD_LANGUAGES
    for table, fewest in FEWEST_WORDINGS.items():
        english = templates["en"][table]
        slots = {kind: set(re.findall(r"{(\w+)}", " ".join(wordings))) for kind, wordings in english.items()}
        for language, tables in templates.items():
            assert tables.keys() == FEWEST_WORDINGS.keys()
            assert tables[table].keys() == english.keys(), language
            for kind, wordings in tables[table].items():
                assert len(set(wordings)) == len(wordings) >= fewest, (language, kind)
                for wording in wordings:
                    assert set(re.findall(r"{(\w+)}", wording)) <= slots[kind], (language, wording)
    assert {query_id.split("-")[0] for query_id in task.queries["query_id"]} == templates["en"]["questions"].keys()


FINGERPRINTS = """
from xlbias.data.builtin import BUILTIN, load_builtin
for name in BUILTIN:
    print(load_builtin(name).fingerprint)
"""
# Babel shares what it has read between locales, and what a locale says can depend on which was asked before.
OTHER_USE_OF_BABEL = """
import datetime
from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency
for identifier in ("fy", "gn", "ja_JP", "pt_BR", "fa", "th_TH", "sr_Latn", "en_AU", "zh_Hant_TW", "ar_EG"):
    locale = Locale.parse(identifier)
    for table in (locale.months, locale.days, locale.eras, locale.day_periods):
        for context in table.values():
            list(context.values()) if hasattr(context, "values") else context
    format_date(datetime.date(2020, 2, 3), "full", locale=locale)
    format_time(datetime.time(15, 4), "full", locale=locale)
    format_currency(1234.5, "EUR", locale=locale)
"""


@pytest.mark.e2e
def test_another_process_with_another_hash_seed_and_another_past_has_the_same_tasks():
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed, code in (("1", FINGERPRINTS), ("2", OTHER_USE_OF_BABEL + FINGERPRINTS))
    ]
    told = [process.communicate(timeout=600)[0].split() for process in processes]
    assert told[0] == told[1] == [task_called(name).fingerprint for name in BUILTIN]


def test_comparing_letters_helps_but_does_not_solve_the_task(task):
    """Mean average precision within three languages of three scripts, by TF-IDF over character n-grams."""
    scores = [lexical_map(task, language) for language in ("ar", "de", "zh")]
    passages = task.pool_sizes["de"]
    chance = sum(1 / rank for rank in range(1, passages + 1)) / passages
    assert 10 * chance < np.mean(scores) < 0.9


def lexical_map(task, language):
    asked = task.queries.filter(task.queries["language"] == language)
    told = task.passages.filter(task.passages["language"] == language)
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).fit([*asked["text"], *told["text"]])
    similarity = (vectorizer.transform(asked["text"]) @ vectorizer.transform(told["text"]).T).toarray()
    column = {passage_id: index for index, passage_id in enumerate(told["passage_id"])}
    right = {query_id: column[p] for query_id, p, _ in task.qrels.iter_rows() if p in column}
    own = similarity[np.arange(len(asked)), [right[query_id] for query_id in asked["query_id"]]]
    return (1 / (similarity >= own[:, None]).sum(axis=1)).mean()  # ties count against the right passage


def test_an_unknown_name_is_answered_with_those_there_are():
    with pytest.raises(TaskError, match=r"'weather'.*builtin:money, builtin:language, builtin:calendar"):
        load_builtin("weather")

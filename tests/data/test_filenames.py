"""Languages from file names agree from corpus to corpus."""

from pathlib import Path

import pytest

from xlbias.data.formats.filenames import by_language, code_at_end, language_of, shortest_tags, tags_of
from xlbias.errors import TaskError


@pytest.mark.parametrize(
    ("part", "tag"),
    [
        ("deu", "de"),
        ("arb", "ar"),
        ("cmn", "zh"),
        ("zho-CN", "zh-CN"),
        ("zho_Hans", "zh-Hans"),
        ("pt-br", "pt-BR"),
        ("gsw-ZH", "gsw"),  # as NTREX writes Zurich German; ZH is no registered region
        ("laser-code", None),
        ("de-en", None),
        ("md", None),
        ("txt", None),  # a registered language, but in a file name an ending
        ("tsv", None),
        ("", None),
    ],
)
def test_the_language_of_a_part_of_a_file_name(part, tag):
    assert language_of(part) == tag


@pytest.mark.parametrize(
    "part",
    ["src", "tgt", "trg", "ref", "hyp", "dev", "val", "trn", "tst", "train", "test", "old", "org", "orig", "tmp"],
)
def test_sides_parts_and_backups_are_no_languages(part):
    """Many are the code of some small language: dev is Domung, src Logudorese Sardinian."""
    assert language_of(part) is None
    assert code_at_end(f"corpus.{part}") is None


def test_a_code_that_is_also_a_backup_is_a_language_but_after_one():
    assert code_at_end("newstest2019-ref.bak") == "bak"  # Bashkir, in NTREX
    assert code_at_end("corpus.en.bak") is None
    assert code_at_end("bak") == "bak"


def test_what_the_names_keep_apart_stays_apart():
    assert tags_of(["twi_Latn", "aka_Latn"]) == {"twi_Latn": "tw", "aka_Latn": "ak"}
    assert tags_of(["arb_Arab", "deu_Latn"]) == {"arb_Arab": "ar", "deu_Latn": "de"}
    assert tags_of(["arb", "ar"]) == {"arb": "arb", "ar": "ar"}
    assert tags_of(["deu", "de"]) == {"deu": "de", "de": "de"}
    with pytest.raises(TaskError, match=r"b.de: a second file in language 'de', beside a.deu"):
        by_language({Path("a.deu"): "deu", Path("b.de"): "de"})


def test_script_and_region_stay_only_where_they_tell_files_apart():
    assert shortest_tags(["zh-CN", "de"]) == {"zh-CN": "zh", "de": "de"}
    assert shortest_tags(["zh-CN", "zh-TW", "sr-Latn"]) == {"zh-CN": "zh-CN", "zh-TW": "zh-TW", "sr-Latn": "sr"}
    assert shortest_tags(["en", "en-GB"]) == {"en": "en", "en-GB": "en-GB"}
    assert shortest_tags(["zh-Hans-CN"]) == {"zh-Hans-CN": "zh"}
    assert shortest_tags(["de-1996", "en-x-pirate"]) == {"de-1996": "de-1996", "en-x-pirate": "en-x-pirate"}


def test_all_128_languages_of_ntrex_stay_apart(shared_data):
    lines = (shared_data / "ntrex128" / "LANGUAGES.tsv").read_text(encoding="utf-8").splitlines()
    codes = [line.split()[0] for line in lines if line.strip()]
    tags = [language_of(code) for code in codes]
    assert len(codes) == 129
    assert None not in tags
    assert len(set(shortest_tags(tags).values())) == 129

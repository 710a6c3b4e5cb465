"""Languages from file names agree from corpus to corpus."""

import pytest

from xlbias.data.formats.filenames import language_of, shortest_tags


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

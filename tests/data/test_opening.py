"""Compressed files are read by what they hold, and what cannot be read is named."""

import bz2
import gzip
import lzma

import pyarrow
import pytest

from xlbias.data.formats.opening import unpacked_name
from xlbias.data.formats.reading import json_file, text_lines
from xlbias.errors import TaskError


def zstd(content):
    return pyarrow.compress(content, codec="zstd", asbytes=True)


PACK = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}
LINES = [f"Zeile {n} äöü" for n in range(30_000)]
CONTENT = "\n".join(LINES).encode()


@pytest.mark.parametrize("ending", PACK)
@pytest.mark.parametrize("name", ["lines.txt", "lines.{}"])
def test_a_compressed_file_is_read_whatever_it_is_called(tmp_path, ending, name):
    path = tmp_path / name.format(ending)
    path.write_bytes(PACK[ending](CONTENT))
    assert [line for _, line in text_lines(path)] == LINES
    path.write_bytes(PACK[ending](CONTENT[:50_000]) + PACK[ending](CONTENT[50_000:]))  # as cat joins them
    assert [line for _, line in text_lines(path)] == LINES
    path.write_bytes(PACK[ending](b'{"a": 1}'))
    assert json_file(path) == {"a": 1}


@pytest.mark.parametrize("ending", PACK)
def test_a_broken_compressed_file_is_named(tmp_path, ending):
    kind = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}[ending]
    whole = PACK[ending](CONTENT)
    path = tmp_path / f"lines.{ending}"
    for content in (b"", b"plain\n", whole[:-20], whole[:40] + b"\xff" * 40 + whole[80:]):
        path.write_bytes(content)
        with pytest.raises(TaskError, match=rf"lines.{ending}: not a whole {kind} file \(broken after line [0-9,]+\)"):
            list(text_lines(path))


@pytest.mark.parametrize(
    ("begin", "what"),
    [
        (b"PK\x03\x04", "a zip archive"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"\x04\x22\x4d\x18", "compressed by lz4"),
        ("text".encode("utf-16"), "text in UTF-16"),
    ],
)
def test_a_file_that_is_no_text_is_named(tmp_path, begin, what):
    path = tmp_path / "de.json"
    path.write_bytes(begin + bytes(range(256)))
    with pytest.raises(TaskError, match=f"de.json: {what}; expected UTF-8 text, plain or compressed by gzip, bzip2"):
        json_file(path)


def test_texts_that_begin_like_a_name_of_a_format_are_texts(tmp_path):
    path = tmp_path / "lines"
    for line in ("PAR1S", "BZh ist kein Wort", "PK", "Rar!", "ARROW1"):
        path.write_text(line, encoding="utf-8")
        assert list(text_lines(path)) == [(1, line)]


def test_the_name_of_what_is_inside():
    names = ["de.json.zst", "de.json", "corpus.en.gz", "gz"]
    assert [unpacked_name(name) for name in names] == ["de.json", "de.json", "corpus.en", "gz"]

"""A format is one file: what it declares is what commands and copies make."""

import pytest

from xlbias.errors import UsageError
from xlbias.report import formats, render
from xlbias.report.document import Document, Paragraph, Section, Table
from xlbias.report.formats.format import format_of
from xlbias.report.forms import BLOCK_FORMATS, DOCUMENT_FORMATS
from xlbias.report.numbers import Entry, numeric

DOCUMENT = Document("A title", "of a run", (Section("One", (Paragraph("Said."),)),))

SHOUTED = '''"""Documents in capitals."""

from xlbias.report.formats.format import Format

FORMAT = Format(lambda documents, width: "".join(f"{one.title.upper()} {width}\\n" for one in documents))
'''


@pytest.mark.parametrize("name", DOCUMENT_FORMATS)
def test_every_format_of_documents_makes_them(name):
    assert format_of(name, DOCUMENT_FORMATS).documents is not None
    assert "A title" in render.render(DOCUMENT, name)


@pytest.mark.parametrize("name", BLOCK_FORMATS)
def test_every_format_of_blocks_makes_them(name):
    table = Table("t", ("encoder", "mAP"), ((Entry("e", kind="name"), numeric(".500", 0.5)),))
    assert "encoder" in render.render_block(table, name)


def test_a_new_file_is_a_new_format(tmp_path, monkeypatch):
    (tmp_path / "shouted.py").write_text(SHOUTED)
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    monkeypatch.setattr(render, "DOCUMENT_FORMATS", (*DOCUMENT_FORMATS, "shouted"))
    assert render.render(DOCUMENT, "shouted", to_file=True) == "A TITLE 120\n"


@pytest.mark.parametrize(
    "make", [lambda form: render.render(DOCUMENT, form), lambda form: render.render_block(None, form)]
)
def test_an_unknown_format_is_answered_with_those_there_are(make):
    with pytest.raises(UsageError, match=r"unknown format 'docx'; choose from .*markdown, latex"):
        make("docx")

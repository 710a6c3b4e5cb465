"""Reads TMX, the exchange format of translation memories: a unit's segments are translations of one another.

The file is parsed as a stream, by expat. What makes XML dangerous is refused, not followed: entities that a file
declares (they may grow without end, or name other files); a DOCTYPE is read over. TMX 1.4b, LISA 2005.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from xml.parsers import expat

import polars as pl

from xlbias.data.formats.base import Format, Option
from xlbias.data.formats.filenames import tags_of
from xlbias.data.formats.merging import translations
from xlbias.data.formats.opening import UTF_16, opened
from xlbias.data.formats.reading import Rows, plain_name, provenance, shown
from xlbias.data.notes import changed_tags
from xlbias.data.task import RetrievalTask
from xlbias.errors import TaskError
from xlbias.languages import normalise_tag

_CHUNK = 65_536  # bytes
_CODES = {"bpt", "ept", "ph", "it", "ut", "sub"}  # what is in them is markup, not text; <hi> holds text
_BLANKS = re.compile(r"[ \t\r\n]+")


def read(path: Path, options: Mapping[str, str]) -> RetrievalTask:
    """Read a translation memory as sentence → translation.

    A unit's id is its ``tuid`` where every unit has one of its own, else its number. Of several segments of a unit in
    one language the first is taken.
    """
    rows = Rows("number", "tuid", "language", "text", "document", "origin")
    units = _Units(path, options["document"], rows)
    units.read()
    lines = rows.frame()
    if lines.is_empty():
        raise TaskError(f"{path}: no <tu> with a text in it; expected a translation memory (TMX)")
    tags = tags_of(lines["language"].unique())
    lines = lines.with_columns(pl.col("language").replace_strict(tags, return_dtype=pl.String))
    kept = lines.unique(["number", "language"], keep="first", maintain_order=True)
    of_units = kept.select("number", "tuid").unique()
    own = of_units["tuid"].null_count() == 0 and of_units["tuid"].is_unique().all()
    number = pl.col("number").str.zfill(len(str(units.count)))
    items = kept.with_columns(id="tuid" if own else number).select("id", "language", "text", "document", "origin")
    task = RetrievalTask(
        name=plain_name(path),
        **provenance(path.parent),
        **translations(items, parallel_by="translation unit", n_variants=lines.height - kept.height),
    )
    task = task.changed(notes=replace(task.notes, tags=changed_tags(tags)))
    if len(task.languages) < 2:
        raise TaskError(f"{path}: all segments are in {task.languages[0]!r}; a translation memory has two languages")
    return task


def looks_like(path: Path) -> bool:
    """Whether a file begins as a translation memory does."""
    if not path.is_file():
        return False
    try:
        with opened(path, allowed=(UTF_16,)) as file:
            head: bytes = file.read(4096)
    except TaskError:
        return False
    return b"<tmx" in head.replace(b"\0", b"")


class _Units:
    """The units of a file, added to `rows` one after another.

    Args:
        path: the file.
        document: the ``type`` of the <prop> that names a unit's document, or nothing.
        rows: takes number, tuid, language, text, document and origin of each segment.
    """

    def __init__(self, path: Path, document: str, rows: Rows) -> None:
        self.path, self.document, self.rows = path, document, rows
        self.count = 0
        self._root = self._language = ""
        self._tuid: str | None = None
        self._of_unit: str | None = None
        self._variants: list[tuple[str, str]] = []
        self._known: dict[str, str] = {}
        self._prop: list[str] | None = None
        self._segment: list[str] | None = None
        self._codes = 0  # how many elements of markup the parser is in

    def read(self) -> None:
        """Parse the file; raises TaskError with its line."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.EntityDeclHandler = self._refuse_entity
        parser.SkippedEntityHandler = self._refuse_skipped
        self._parser = parser
        try:
            with opened(self.path, lambda: f" (broken after unit {self.count:,})", allowed=(UTF_16,)) as file:
                for chunk in iter(lambda: file.read(_CHUNK), b""):
                    parser.Parse(chunk, False)
                parser.Parse(b"", True)
        except expat.ExpatError as error:
            what = expat.errors.messages.get(error.code, str(error))
            raise TaskError(f"{self.path}, line {error.lineno}: not valid XML ({what})") from error
        except (LookupError, ValueError) as error:  # an encoding that Python lacks, or that has several bytes a sign
            raise TaskError(f"{self.path}: its encoding cannot be read ({error}); convert the file to UTF-8") from error

    def _where(self) -> str:
        return f"{shown(self.path)}, line {self._parser.CurrentLineNumber}"

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._root:
            self._root = name
            if name != "tmx":
                raise TaskError(f"{self._where()}: expected <tmx>, found <{name[:40]}>")
        if self._segment is not None:
            self._codes += name in _CODES
        elif name == "tu":
            self.count += 1
            self._tuid, self._of_unit, self._variants = attributes.get("tuid"), None, []
        elif name == "tuv":
            self._language = self._tag(attributes.get("xml:lang") or attributes.get("lang") or "")
        elif name == "seg":
            self._segment, self._codes = [], 0
        elif name == "prop" and self.document and attributes.get("type") == self.document:
            self._prop = []

    def _tag(self, code: str) -> str:
        if code not in self._known:
            if not code:
                raise TaskError(f"{self._where()}: <tuv> does not say its language; expected xml:lang")
            try:
                normalise_tag(code)
            except TaskError as error:
                raise TaskError(f"{self._where()}: {error}") from error
            self._known[code] = code
        return code

    def _end(self, name: str) -> None:
        if name == "seg" and self._segment is not None:
            text = _BLANKS.sub(" ", "".join(self._segment)).strip()
            if text:
                self._variants.append((self._language, text))
            self._segment = None
        elif self._segment is not None:
            self._codes -= name in _CODES
        elif name == "prop" and self._prop is not None:
            self._of_unit, self._prop = "".join(self._prop).strip() or None, None
        elif name == "tu":
            origin = f"{shown(self.path)}, unit {self.count}"
            for language, text in self._variants:
                self.rows.add(str(self.count), self._tuid or None, language, text, self._of_unit, origin)

    def _text(self, text: str) -> None:
        if self._segment is not None:
            if not self._codes:
                self._segment.append(text)
        elif self._prop is not None:
            self._prop.append(text)

    def _refuse_entity(self, name: str, *_: object) -> None:
        raise TaskError(f"{self._where()}: declares an entity ({name[:40]}), which is refused as unsafe; remove it")

    def _refuse_skipped(self, name: str, parameter: bool) -> None:
        if not parameter:
            raise TaskError(f"{self._where()}: the entity &{name[:40]}; is not declared; write the character itself")


FORMAT = Format(
    name="tmx",
    summary="sentence → translation, from a translation memory (TMX); languages from xml:lang",
    example="tmx:FILE[languages=en,de]",
    folder=False,
    options=(Option("document", "type of the <prop> that names the document of a unit"),),
    read=read,
    looks_like=looks_like,
)

"""Reads the SGML and XML of TREC and CLEF: topics of every age, and documents; their tags are seldom closed or valid.

They are read by their tags alone: there is no tree, no entity but those of HTML, and nothing outside is ever opened.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

from xlbias.data.formats.items import Item
from xlbias.data.formats.opening import UTF_16, opened
from xlbias.data.formats.reading import shown
from xlbias.errors import TaskError

_DECLARED = re.compile(rb"<\?xml[^>]*\bencoding\s*=\s*[\"']([\w.-]+)[\"']")
_TOPIC = re.compile(r"<(topic|top)\b([^>]*)>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(r"<(?:num|identifier)\b[^>]*>\s*(?:Number:)?\s*([^<\s]+)", re.IGNORECASE)
_NUMBER_OF = re.compile(r"\b(?:number|id)\s*=\s*[\"']\s*([^\"']+?)\s*[\"']", re.IGNORECASE)
_LANGUAGE_OF = re.compile(r"\blang\s*=\s*[\"']([\w-]+)[\"']", re.IGNORECASE)
_FIELD = re.compile(
    r"<(?:(?P<language>[A-Za-z]{2})-)?(?P<name>title|desc|description|query)\b[^>]*>\s*(?:(?:Topic|Description):)?"
    r"(?P<text>[^<]*)",
    re.IGNORECASE,
)
_DOC = re.compile(rb"<DOC\b[^>]*>", re.IGNORECASE)
_END_OF_DOC = re.compile(rb"</DOC\s*>", re.IGNORECASE)
_DOCNO = re.compile(r"<DOCNO>\s*(.*?)\s*</DOCNO>", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<(TITLE|HEADLINE|HL|TI)\b[^>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)
_TEXT = re.compile(r"<TEXT\b[^>]*>(.*?)</TEXT\s*>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def is_marked_up(file: Path) -> bool:
    """Whether a file begins with a tag."""
    with opened(file, allowed=(UTF_16,)) as stream:
        head: bytes = stream.read(64)
    return head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe").lstrip().startswith(b"<")


def topics(file: Path, *, fields: str, encoding: str) -> Iterator[tuple[Item, str]]:
    """Yield the topics of a file as objects with ``id``, ``text`` and, where they say it, ``language``.

    Args:
        file: XML or SGML with <top> or <topic>.
        fields: ``title``, ``description`` or ``title+description``.
        encoding: of the file where it does not declare one; empty for UTF-8.

    Raises TaskError with the topic's number in the file.
    """
    with opened(file, allowed=(UTF_16,)) as stream:
        text = _decoded(stream.read(), file, encoding)
    place = 0
    for place, (_, attributes, body) in enumerate(_TOPIC.findall(text), start=1):
        number = _NUMBER.search(body) or _NUMBER_OF.search(attributes)
        found: dict[str, str] = {}
        language = _LANGUAGE_OF.search(attributes)
        tag = language[1] if language else None
        for field in _FIELD.finditer(body):
            name = {"desc": "description", "query": "title"}.get(field["name"].lower(), field["name"].lower())
            words = _plain(field["text"])
            if words:
                found.setdefault(name, words)
                tag = tag or field["language"]
        wanted = [found[name] for name in fields.split("+") if name in found]
        if number is None or not wanted:
            raise TaskError(f"{file}: topic {place} has no number or no {fields.replace('+', ' and ')}")
        item: Item = {"id": number[1], "text": " ".join(wanted)}
        yield item | ({"language": tag.lower()} if tag else {}), f"{shown(file)}, topic {place}"
    if not place:
        raise TaskError(f"{file}: no <top> or <topic> in it that is closed")


def documents(file: Path, *, encoding: str) -> Iterator[tuple[Item, str]]:
    """Yield the documents of a file, <DOC> with <DOCNO> and <TEXT>, as objects with ``id``, ``title`` and ``text``."""
    number = 0
    with opened(file) as stream:
        lines: list[bytes] | None = None
        for line in stream:
            if lines is None and _DOC.search(line):
                lines, number = [], number + 1
            if lines is not None:
                lines.append(line)
                if _END_OF_DOC.search(line):
                    yield _document(_decoded(b"".join(lines), file, encoding), file, number)
                    lines = None
    if not number:
        raise TaskError(f"{file}: no <DOC> in it")


def _document(text: str, file: Path, number: int) -> tuple[Item, str]:
    origin = f"{shown(file)}, document {number}"
    own = _DOCNO.search(text)
    if own is None or not own[1]:
        raise TaskError(f"{origin}: no <DOCNO>")
    title = _TITLE.search(text)
    body = " ".join(_plain(part) for part in _TEXT.findall(text))
    return {"id": own[1], "title": _plain(title[2]) if title else "", "text": body.strip()}, origin


def _plain(marked: str) -> str:
    return " ".join(html.unescape(_TAG.sub(" ", marked)).split())


def _decoded(content: bytes, file: Path, encoding: str) -> str:
    declared = _DECLARED.match(content.removeprefix(b"\xef\xbb\xbf").lstrip()[:200])
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    name = encoding or ("utf-16" if utf16 else declared[1].decode("ascii") if declared else "utf-8")
    try:
        return content.decode(name).removeprefix("\ufeff")
    except LookupError as error:
        raise TaskError(f"{file}: unknown encoding {name[:40]!r}; give it as [encoding=latin-1]") from error
    except UnicodeDecodeError as error:
        raise TaskError(
            f"{file}: not valid {name} (byte 0x{content[error.start]:02x}); give its encoding, such as "
            "[encoding=latin-1]"
        ) from error

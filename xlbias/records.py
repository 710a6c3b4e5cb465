"""Typed records from files: a mapping in, a `msgspec.Struct` out, or one sentence that says what is wrong with it.

A record is a class of typed fields::

    class Recipe(Struct, frozen=True, forbid_unknown_fields=True):
        base: Annotated[str, Meta(description="'static', a folder or a hub name")]
        steps: Annotated[int, Meta(ge=0, description="at least 1, or 0 for whole epochs")] = 0

`decode` reads it strictly: nothing is taken for another type, but a whole number for a number. A field's `description`
is what an error says was expected, so it is written as the end of that sentence. With ``forbid_unknown_fields`` a key
that the record does not know is an error with the key that was probably meant; without, such keys are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from threading import RLock
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from xlbias.choices import suggestion
from xlbias.errors import XlbiasError, unreadable

T = TypeVar("T")
S = TypeVar("S", bound=Struct)

_LONGEST = 60  # characters of a value in an error
_WORDS = {int: "a whole number", float: "a number", str: "a string", bool: "true or false", NoneType: "null"}
_LISTS = (list, tuple, set, frozenset)
_ONE_AT_A_TIME = RLock()  # a record that checks more of itself may decode another
_MISFITS = (msgspec.ValidationError, RecursionError, UnicodeEncodeError)  # the last of half a character, as in "\ud800"


def read_toml(path: Path, error: type[XlbiasError], *, remedy: str = "") -> dict[str, Any]:
    """Return the content of a TOML file. Raises `error` naming the file, the line that is not TOML, and the remedy."""
    import tomllib  # what opens a run reads no TOML

    return _read(path, tomllib.loads, "TOML", error, remedy)


def read_json(path: Path, error: type[XlbiasError], *, remedy: str = "") -> Any:
    """Return the content of a JSON file. Raises `error` naming the file, the line that is not JSON, and the remedy."""
    return _read(path, json.loads, "JSON", error, remedy)


def _read(path: Path, parse: Callable[[str], T], language: str, error: type[XlbiasError], remedy: str) -> T:
    end = f"; {remedy}" if remedy else ""
    try:
        return parse(path.read_text("utf-8"))
    except OSError as cause:
        raise error(f"{unreadable(path, cause)}{end}") from cause
    except (ValueError, RecursionError) as cause:  # not UTF-8, or not of the language: the message names the line
        raise error(f"{path}: is not {language}: {cause}{end}") from cause


def convert(content: object, kind: type[T]) -> T:
    """Return what `msgspec.convert` does, one thread at a time.

    The first time that msgspec meets a record it looks at its fields, and gives way to other threads meanwhile: a
    second one that meets the same record then ends the whole process.
    """
    with _ONE_AT_A_TIME:
        return msgspec.convert(content, kind)


def decode(
    content: object, kind: type[T], error: type[XlbiasError], *, file: Path | str = "", at: str = "", remedy: str = ""
) -> T:
    """Return `content`, what JSON or TOML can say, as a value of `kind`.

    Args:
        content: for a record, a mapping.
        kind: a Struct, or any type that msgspec knows.
        error: what is raised.
        file: where the content comes from, if it comes from a file.
        at: path of the content inside the file, ``settings`` for one.
        remedy: what to do about content that is wrong, where the sentence does not say it by what was expected.

    Raises `error` naming file, field, value and what was expected: ``p.toml: sources.a is 3: expected a task``.
    """
    try:
        try:
            return convert(content, kind)
        except _MISFITS as cause:
            raise error(_problem(content, kind, at) or str(cause)) from cause
    except XlbiasError as cause:  # also from a record that checks more of itself
        raise error(": ".join(filter(None, (str(file), str(cause)))) + (f"; {remedy}" if remedy else "")) from cause


def decode_fields(
    content: Mapping[str, Any], kind: type[Struct], error: type[XlbiasError], *, at: str = ""
) -> dict[str, Any]:
    """Return some fields of a record, each decoded, without those that `content` lacks. Raises `error` as `decode`."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key in content:
        if key not in fields:
            raise error(_unknown(key, fields, at))
    return {
        fields[key].name: decode(value, fields[key].type, error, at=_inside(at, key)) for key, value in content.items()
    }


def check_record(record: Struct, error: type[XlbiasError]) -> None:
    """Raise `error` unless every field of a record that was not decoded, but made in Python, is valid."""
    for field in msgspec.structs.fields(type(record)):
        decode(getattr(record, field.name), field.type, error, at=field.name)


def quoted(value: object, longest: int = _LONGEST) -> str:
    """Return a value from a file as an error says it: its first `longest` characters, and no control characters."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or lists in lists
        return f"too large a {type(value).__name__}"
    return text if len(text) <= longest else f"{text[:longest]}…"


# -- what is wrong ---------------------------------------------------------------------------------------------------


def _problem(value: Any, hint: Any, at: str, expected: str = "") -> str | None:
    """Return what is wrong with `value`, at the innermost place where it is; None where nothing is.

    msgspec decides what is wrong; it does not say in which entry of a table, nor what the value is.
    """
    if _fits(value, hint):
        return None
    plain, expected = _plain(hint), _description(hint) or expected
    chosen = _chosen(value, plain)
    if chosen is not None:
        inner = _problem(value, chosen, at, expected)
    elif isinstance(plain, type) and issubclass(plain, Struct) and isinstance(value, Mapping):
        inner = _in_record(value, plain, at)
    else:
        parts = _parts(value, plain, at)
        inner = next((found for part, kind, where in parts if (found := _problem(part, kind, where)) is not None), None)
    return inner if inner is not None else _misfit(value, plain, at, expected)


def _fits(value: Any, hint: Any) -> bool:
    try:
        convert(value, hint)
    except _MISFITS:
        return False
    return True


def _in_record(content: Mapping[Any, Any], kind: type[Struct], at: str) -> str | None:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key in content:
        if key not in fields and (kind.__struct_config__.forbid_unknown_fields or not _is_text(key)):
            return _unknown(key, fields, at)
    for name, field in fields.items():
        if name in content:
            problem = _problem(content[name], field.type, _inside(at, name))
            if problem is not None:
                return problem
        elif field.required:
            return f"{at or ''}{': ' if at else ''}has no key {name!r}: expected {_expected(field.type)}"
    return None


def _is_text(key: object) -> bool:
    try:
        return isinstance(key, str) and bool(key.encode())
    except UnicodeEncodeError:
        return False


def _parts(value: Any, plain: Any, at: str) -> Iterator[tuple[Any, Any, str]]:
    """Return the parts of a container that is of the right kind: value, type and path of each."""
    origin, arguments = get_origin(plain), get_args(plain)
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        for key, entry in value.items():
            yield key, arguments[0], f"{at}: the name"
            yield entry, arguments[1], _inside(at, key)
    elif origin in _LISTS and isinstance(value, list | tuple):
        kinds = arguments if origin is tuple and arguments[-1] is not Ellipsis else (arguments[0],) * len(value)
        for number, (entry, kind) in enumerate(zip(value, kinds, strict=False)):
            yield entry, kind, f"{at}[{number}]"


def _chosen(value: Any, plain: Any) -> Any:
    """Return the one type of a union that a container may be meant for; None for none, several, or no union."""
    is_union = get_origin(plain) in (Union, UnionType)
    fitting = [part for part in get_args(plain) if _is_container_of(value, part)] if is_union else []
    return fitting[0] if len(fitting) == 1 else None


def _is_container_of(value: Any, hint: Any) -> bool:
    plain = _plain(hint)
    origin = get_origin(plain) or plain
    if not isinstance(origin, type):
        return False
    if issubclass(origin, Struct | Mapping):
        return isinstance(value, Mapping)
    return issubclass(origin, _LISTS) and isinstance(value, list | tuple)


def _misfit(value: Any, plain: Any, at: str, expected: str) -> str:
    """Return that a value is not what was expected; of one that is not even of the right type, that first."""
    choices = _choices(plain)
    close = suggestion(value, choices) if isinstance(value, str) else ""
    if plain in _WORDS and not _fits(value, plain) and not expected.startswith(_WORDS[plain]):
        expected = ": ".join(filter(None, (_WORDS[plain], expected)))
    return f"{at or 'it'} is {quoted(value)}{close}: expected {expected or _words(plain)}"


def _unknown(key: Any, known: Collection[str], at: str) -> str:
    hint = (suggestion(key, known) if isinstance(key, str) else "") or f": expected {', '.join(known)}"
    return f"{at}{': ' if at else ''}unknown key {quoted(key)}{hint}"


def _expected(hint: Any) -> str:
    return _description(hint) or _words(_plain(hint))


def _words(plain: Any) -> str:
    """Return the values of a type in words."""
    origin = get_origin(plain) or plain
    if origin in (Union, UnionType):
        return " or ".join(_expected(part) for part in get_args(plain) if part is not NoneType)
    if origin is Literal:
        return ", ".join(str(choice) for choice in _choices(plain) if choice != "")
    if isinstance(origin, type) and issubclass(origin, _LISTS):
        return "a list"
    return _WORDS.get(origin, "a table of named values")


def _choices(plain: Any) -> tuple[str, ...]:
    return tuple(map(str, get_args(plain))) if get_origin(plain) is Literal else ()


def _plain(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _description(hint: Any) -> str:
    notes = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((note.description for note in notes if isinstance(note, Meta) and note.description), "")


def _inside(at: str, key: object) -> str:
    return f"{at}.{key}" if at else str(key)

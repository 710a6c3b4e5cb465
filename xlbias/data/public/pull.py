"""Fetches a public data set into the user's data folder: whole, with a note of what was fetched, or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xlbias.choices import listed, suggestion
from xlbias.data.public.download import Advance, download
from xlbias.data.public.sets import SETS, Download, Hub, PublicSet
from xlbias.data.public.unpack import unpack
from xlbias.errors import TaskError, UsageError
from xlbias.files import check_plain, digest_of_file, saying, write_whole
from xlbias.folders import data_folder
from xlbias.narration import Narrator, Silent
from xlbias.progress import Course, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOTE = "SOURCE.md"
_SPEED = 4e6  # bytes a second that are expected
_UNKNOWN = 20_000_000  # bytes of a file whose size is not known


def find_set(name: str) -> PublicSet:
    """Return a public set by its name. Raises UsageError where there is none."""
    known = {one.name: one for one in SETS}
    if name not in known:
        raise UsageError(f"no public data set {name!r}{suggestion(name, known)}: choose from {listed(known, 12)}")
    return known[name]


def pulled(one: PublicSet, to: Path | None = None) -> list[Path]:
    """Return the folders in which a set is: as a whole, or some of its languages."""
    base = to or data_folder()
    folders = [base / one.name, *(sorted(base.glob(f"{one.name}-*")) if one.languages else ())]
    names = {other.name for other in SETS} - {one.name}
    return [folder for folder in folders if (folder / _NOTE).is_file() and folder.name not in names]


def task_name(one: PublicSet, folder: Path) -> str:
    """Return the name under which a pulled set is read as a task."""
    return one.task.format(folder)


def pull(
    one: PublicSet, *, to: Path | None = None, languages: Sequence[str] = (), narrator: Narrator | None = None
) -> Path:
    """Fetch a set, and return its folder; one that is there already is let be.

    What was fetched of an attempt that broke off is kept in a hidden folder beside it, and not fetched again.

    Args:
        one: the set.
        to: the folder in which the set's own is made; the user's data folder otherwise.
        languages: some of its languages; all where there are none.
        narrator: told what is going on.

    Raises UsageError for languages that it does not have, TaskError where it cannot be fetched, WriteError where it
    cannot be written.
    """
    narrator = narrator or Silent()
    chosen = _chosen(one, languages)
    base = to or data_folder()
    folder = base / (f"{one.name}-{'-'.join(chosen)}" if chosen else one.name)
    if (folder / _NOTE).is_file():
        narrator.say(f"{one.name} is there already: {folder}")
        return folder
    check_plain(folder, folder=True)
    if folder.exists():
        raise UsageError(f"{folder}: is there already, and was not made by `xlbias data pull`; give another --to")
    part = base / f".{folder.name}.partial"
    with saying(part):
        part.mkdir(parents=True, exist_ok=True)
    try:
        digests = _fetch_hub(one, one.hub, chosen, part / "files", narrator) if one.hub else {}
        if one.files:
            digests |= _fetch_files(one, chosen, part, narrator)
    except BaseException:
        if not any(file.stat().st_size for file in part.rglob("*") if file.is_file()):
            shutil.rmtree(part, ignore_errors=True)  # nothing to go on from
        raise
    write_whole(part / "files" / _NOTE, _note(one, digests).encode())
    with saying(folder):
        (part / "files").rename(folder)
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _chosen(one: PublicSet, languages: Sequence[str]) -> list[str]:
    if languages and not one.languages:
        raise UsageError(f"{one.name} comes as a whole: leave --languages out")
    for language in languages:
        if language not in one.languages:
            known = ", ".join(one.languages)
            raise UsageError(f"{one.name} has no language {language!r}{suggestion(language, one.languages)}: {known}")
    return sorted(set(languages))


def _fetch_files(one: PublicSet, chosen: Sequence[str], part: Path, narrator: Narrator) -> dict[str, str]:
    """Download the files of a set, unpack those that are archives, and return the SHA-256 of each by its address."""
    wanted = [file for file in one.files if not chosen or not file.language or file.language in chosen]
    steps = [Step(file.url, "download", "", (file.size or _UNKNOWN) / _SPEED) for file in wanted]
    digests = {}
    with narrator.watch() as tell:
        course = Course(steps, tell)
        for file in wanted:
            with course.stage(file.url, f"{one.name}: {file.path}", file.size or None, "bytes") as stage:
                digests[file.url] = _fetch_file(file, part, stage.advance)
    return digests


def _fetch_file(file: Download, part: Path, advance: Advance) -> str:
    folder = part / ("archives" if file.members else "files")
    target = folder / file.path
    with saying(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        (part / "files").mkdir(exist_ok=True)
    digest = download(file.url, target, file.checksum, advance=advance)
    if file.members:
        unpack(target, part / "files", file.members)
    return digest


def _fetch_hub(one: PublicSet, hub: Hub, chosen: Sequence[str], folder: Path, narrator: Narrator) -> dict[str, str]:
    """Fetch files of the hub at the pinned revision, and return the SHA-256 of each."""
    from xlbias.data.formats.dataset_files import configurations, subsets
    from xlbias.data.formats.hub import card, repository

    there = repository(hub.name, hub.revision)
    head = card(there.fetch(["README.md"], folder) / "README.md") if "README.md" in there.files else {}
    found = subsets(configurations(there.files, head), part=hub.part, wanted=chosen)
    files = sorted({file for subset in found for file in subset.files})
    if not files:
        raise TaskError(f"{hub.name}: holds nothing of what is expected in it; look for a newer version of xlbias")
    with narrator.watch() as tell:
        course = Course([Step(hub.name, "download", "", len(files))], tell)
        with course.stage(hub.name, f"{one.name}: fetching {hub.name}", len(files), "files") as stage:
            there.fetch(files, folder, stage.advance)
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return {name: digest_of_file(folder / name) for name in files}


def _note(one: PublicSet, digests: Mapping[str, str]) -> str:
    """Return what is kept beside the data: its source, its licence, and the SHA-256 of all that was fetched."""
    known = {file.url for file in one.files if file.checksum}
    source = f"huggingface.co/datasets/{one.hub.name} at {one.hub.revision}" if one.hub else _address(one)
    rows = [
        f"- {'checked' if name in known or one.hub else 'recorded'} sha256 {digest} {json.dumps(name)}"
        for name, digest in sorted(digests.items())
    ]
    return "\n".join(
        [
            f"# {one.name}",
            "",
            f"- source: {source}",
            f"- licence: {one.licence} ({one.licence_url})",
            f"- citation: {one.citation}",
            "",
            "Checked: a checksum was known before. Recorded: taken of what arrived, to compare with later.",
            "",
            *rows,
            "",
        ]
    )


def _address(one: PublicSet) -> str:
    """Return what the addresses of a set's files have in common: a folder, or else the host of the first."""
    folders = {file.url.rpartition("/")[0] for file in one.files}
    first = one.files[0].url.partition("://")[2]
    if len(one.files) == 1:
        return first
    return first.rpartition("/")[0] if len(folders) == 1 else first.partition("/")[0]

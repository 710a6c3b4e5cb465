"""Real corpora, loaded once, and small ones written to disk, for the readers' tests."""

import json
from functools import cache
from pathlib import Path

import pytest

from xlbias.data.catalog import load_task


@pytest.fixture(scope="session")
def corpora(shared_data):
    """Load a task whose ``{}`` stands for the folder of the real corpora, once for all tests (tasks never change)."""
    return cache(lambda spec: load_task(spec.format(shared_data)))


@pytest.fixture
def json_lines(tmp_path):
    """Write objects (or raw lines) to a JSON Lines file and return its path."""

    def write(*items: object, name: str = "corpus.jsonl") -> Path:
        path = tmp_path / name
        lines = [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in items]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def folder(tmp_path):
    """Write {file name: text, bytes, or object for JSON} to a folder and return its path."""

    def write(files: dict[str, object]) -> Path:
        path = tmp_path / "corpus"
        path.mkdir(exist_ok=True)
        for name, content in files.items():
            if isinstance(content, bytes):
                (path / name).write_bytes(content)
            else:
                text = content if isinstance(content, str) else json.dumps(content)
                (path / name).write_text(text, encoding="utf-8", newline="")
        return path

    return write

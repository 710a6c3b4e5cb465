"""Compiled code is kept where it can be, and nothing that befalls it ends an evaluation or changes a count."""

import importlib.util
import pickle
import subprocess
import sys

import pytest
from numba.core import config

SOURCE = """
from xlbias.retrieve.compiled import compiled

@compiled("int64(int64)", nogil=True)
def doubled(number):
    return 2 * number

@compiled(nogil=True)
def tripled(number):
    return 3 * number
"""


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """Import the functions anew, as another process would, and return how often both were found compiled."""
    (tmp_path / "kernel.py").write_text(SOURCE, "utf-8")
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path / "cache"))

    def load():
        spec = importlib.util.spec_from_file_location("kernel", tmp_path / "kernel.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assert (module.doubled(21), module.tripled(14)) == (42, 42)
        return sum(sum(function.stats.cache_hits.values()) for function in (module.doubled, module.tripled))

    return load


def test_what_has_been_compiled_is_kept(kernel, tmp_path):
    assert kernel() == 0
    assert kernel() == 2
    assert len(list((tmp_path / "cache").rglob("*.nbc"))) == 2


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "pickle"])
def test_what_is_damaged_is_compiled_again(kind, damage, kernel, tmp_path):
    kernel()
    for path in (tmp_path / "cache").rglob(f"*.{kind}"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 4
        harm = {"cut": content[:40], "empty": b"", "flipped": content, "pickle": pickle.dumps(print)}
        path.write_bytes(harm[damage])
    assert kernel() == 0
    assert kernel() == 2


def test_machine_code_with_any_flipped_bit_is_never_run(kernel, tmp_path):
    kernel()
    (path,) = (tmp_path / "cache").rglob("*doubled*.nbc")
    content = path.read_bytes()
    for at in range(0, len(content), len(content) // 12):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert kernel() == 1, at


def test_where_nothing_can_be_kept_it_is_compiled_each_time(kernel, monkeypatch):
    def no_place(*_):
        raise RuntimeError("cannot cache function 'doubled': no locator available for file 'kernel.py'")

    monkeypatch.setattr("numba.core.caching.CompileResultCacheImpl.__init__", no_place)
    assert kernel() == 0
    assert kernel() == 0


def test_a_disk_that_is_full_is_no_error(kernel, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numba.core.caching.IndexDataCacheFile._open_for_write", full)
    assert kernel() == 0


@pytest.mark.e2e
def test_settings_that_lie_in_the_current_folder_are_not_believed(tmp_path):
    (tmp_path / ".numba_config.yaml").write_text(f"cache_dir: {tmp_path}/evil\nno_such_setting: 1\n", "utf-8")
    (tmp_path / "kernel.py").write_text(SOURCE, "utf-8")
    code = (
        "import sys, yaml; before = yaml; sys.path.insert(0, sys.argv[1])\nimport kernel; print(kernel.doubled(21))\n"
        "assert sys.modules['yaml'] is before\nfrom numba.core import config; print(repr(config.CACHE_DIR))\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("42\n''\n", "")
    assert not (tmp_path / "evil").exists()

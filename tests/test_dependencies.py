"""What is imported is declared, and what is declared as enough is enough."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SMOKE = ["tests/cli/test_main.py", "tests/cli/test_evaluate.py", "tests/test_streams.py", "tests/test_text.py"]
SMOKE += [
    "tests/encode",
    "tests/retrieve",
    "tests/dashboard/screens/test_screens.py",
    "tests/train/trainer/test_grid.py",
]


def declared(*extras):
    """Names of the distributions that pyproject.toml asks for, as the index spells them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = [*project["dependencies"], *(one for extra in extras for one in project["optional-dependencies"][extra])]
    return {normal(re.match(r"[\w.-]+", one)[0]) for one in asked}


def extras():
    """Names of the extras that users install."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return set(project["optional-dependencies"]) - {"dev"}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def imported():
    """Top-level modules that xlbias imports, with a file that does."""
    found = {}
    for path in (ROOT / "xlbias").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                found.setdefault(name.partition(".")[0], path)
    return {name: path for name, path in found.items() if name not in {*sys.stdlib_module_names, "xlbias"}}


def test_what_is_imported_is_declared():
    known = packages_distributions()
    of_module = {name: {normal(one) for one in known.get(name, [name])} for name in imported()}
    asked = declared(*extras())
    assert {name for name, distributions in of_module.items() if not distributions & asked} == set()


def test_what_is_declared_is_imported():
    known = packages_distributions()
    used = {normal(distribution) for name in imported() for distribution in known.get(name, [name])}
    assert declared("serve", "openai", "lora") - used == set()


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_the_lowest_versions_that_are_declared_are_enough(tmp_path):
    """With every dependency at its lower bound, but torch, of which other builds are gigabytes."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("there is no uv to resolve and install the lowest versions: pip install uv")
    wheels = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.find-links"], capture_output=True, text=True, check=False
    ).stdout.split()
    places = [word for place in wheels for word in ("--find-links", place)]
    torch = tmp_path / "torch.txt"
    torch.write_text(f"torch=={version('torch')}\n", "utf-8")
    lowest, python = tmp_path / "lowest.txt", tmp_path / "venv" / "bin" / "python"

    def run(*words):
        return subprocess.run([uv, *map(str, words)], capture_output=True, text=True, check=False, cwd=ROOT)

    done = run(
        "pip", "compile", "-q", "--resolution", "lowest-direct", "--extra", "dev", "--override", torch, *places,
        "--python", sys.executable, "pyproject.toml", "-o", lowest,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"the lowest versions cannot be resolved here (is there an index?): {done.stderr[-500:]}")
    if "nvidia-" in lowest.read_text("utf-8"):
        pytest.skip("this torch would come with gigabytes of CUDA")
    assert run("venv", "-q", "--python", sys.executable, tmp_path / "venv").returncode == 0
    done = run("pip", "install", "-q", "--no-deps", "--python", python, *places, "-r", lowest)
    assert done.returncode == 0, done.stderr
    tested = subprocess.run(
        [python, "-m", "pytest", "-m", "not slow", *SMOKE],
        capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert tested.returncode == 0, tested.stdout[-10_000:]

"""Benchmarks run, and what they claim of error rates holds, on a small scale."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.integration

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def significance():
    spec = importlib.util.spec_from_file_location("significance_benchmark", BENCHMARKS / "significance.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look for their module there
    yield spec.loader.exec_module(module) or module
    del sys.modules[spec.name]


def test_error_rates_are_as_claimed(significance, capsys):
    assert significance.main(["--quick", "--no-time"]) == 0
    printed = capsys.readouterr().out
    assert "0 not as claimed" in printed
    assert printed.count("\n### ") == 4
    plain = [line for line in printed.splitlines() if "plain: seeds uncorrected" in line]
    assert max(float(line.split("|")[2]) for line in plain) > 0.5  # what it would be without the correction


def test_a_rate_that_is_not_as_claimed_makes_it_fail(significance, monkeypatch, capsys):
    wrong = significance.Rate("half of them", np.arange(100) % 2 == 0, claim="<=")
    monkeypatch.setattr(significance, "SECTIONS", (("Wrong", lambda size: [wrong]),))
    assert significance.main(["--quick", "--no-time"]) == 1
    assert "1 not as claimed" in capsys.readouterr().out

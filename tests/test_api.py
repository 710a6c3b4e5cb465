"""The public API: what `import xlbias` offers, loaded when it is first asked for."""

import subprocess
import sys

import pytest

import xlbias


def test_every_public_name_is_there_and_documented():
    for name in xlbias.__all__:
        value = getattr(xlbias, name)
        assert name == "__version__" or value.__doc__, name


def test_dir_shows_the_api_only():
    assert dir(xlbias) == sorted(xlbias.__all__)
    assert {"fit", "evaluate", "compare", "render_report", "open_run"} <= set(dir(xlbias))


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'fti'"):
        _ = xlbias.fti


@pytest.mark.e2e
def test_the_package_costs_no_library():
    code = "import sys, xlbias; print(sorted({'torch', 'polars', 'numpy', 'textual', 'click'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"

"""A folder full of code that must not run: a file for every module that xlbias could import."""

import json
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

NUMBA_SETTINGS = ".numba_config.yaml"


def plant(folder: Path, into: Path) -> None:
    """Put a module of every name but xlbias' into a folder; each writes its name `into` a file when it runs."""
    names = {*sys.stdlib_module_names, *packages_distributions(), "sitecustomize", "usercustomize"}
    for name in names - {"xlbias", "__main__"}:
        if name.isidentifier():
            (folder / f"{name}.py").write_text(f"open({str(into)!r}, 'a').write({name!r} + '\\n')\n", "utf-8")
    settings = {"cache_dir": str(folder / "numba")}  # of pickled code
    (folder / NUMBA_SETTINGS).write_text(json.dumps(settings), "utf-8")


def console_script(folder: Path) -> list[str]:
    """The command `xlbias` as an installer writes it: its own folder is first on the path, not the current one."""
    script = folder / "xlbias"
    script.write_text(
        "import sys\nfrom xlbias.__main__ import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
    return [sys.executable, str(script)]

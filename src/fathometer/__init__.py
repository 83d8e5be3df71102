"""Fathometer measures how deep a model your data needs.

    >>> import fathometer as fm
    >>> comparison = fm.compare("passengers.csv", target="survived")  # doctest: +SKIP
    >>> comparison.winner.predict(frame)                              # doctest: +SKIP

Every name below is fetched when it is first used, so that `import fathometer` stays quick and a
machine with nothing but numpy and onnxruntime can load a model file and predict.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fathometer.app.comparison import Comparison, compare
    from fathometer.errors import FathometerError
    from fathometer.modelfile.load import ModelFile, load
    from fathometer.table.kind import Kind
    from fathometer.table.read import read
    from fathometer.table.split import Split
    from fathometer.table.table import Table
    from fathometer.table.task import Task
    from fathometer.trial.scorecard import Scorecard
    from fathometer.verdict.verdict import Verdict

    __version__: str

# From 1.29 on onnxruntime reports to its maker what it runs (names in a model and hashes of its
# weights among it) and keeps an identifier of the machine, unless this is set before its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# Where each public name lives. The list is the whole public interface and stays at 20 or fewer.
_HOMES = {
    "Comparison": "fathometer.app.comparison",
    "FathometerError": "fathometer.errors",
    "Kind": "fathometer.table.kind",
    "ModelFile": "fathometer.modelfile.load",
    "Scorecard": "fathometer.trial.scorecard",
    "Split": "fathometer.table.split",
    "Table": "fathometer.table.table",
    "Task": "fathometer.table.task",
    "Verdict": "fathometer.verdict.verdict",
    "compare": "fathometer.app.comparison",
    "load": "fathometer.modelfile.load",
    "read": "fathometer.table.read",
}

__all__ = [
    "Comparison",
    "FathometerError",
    "Kind",
    "ModelFile",
    "Scorecard",
    "Split",
    "Table",
    "Task",
    "Verdict",
    "__version__",
    "compare",
    "load",
    "read",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("fathometer")
    if name not in _HOMES:
        raise AttributeError(f"module 'fathometer' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__

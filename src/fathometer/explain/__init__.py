"""Why a model answers as it does, measured on its file."""

from fathometer.explain.own_rows import importance

__all__ = ["importance"]

import json

from fathometer.app.document import as_json


def test_numbers_that_json_does_not_know_become_null() -> None:
    text = as_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": (1, "ü")})
    assert json.loads(text) == {"a": None, "b": [None, 1.5], "c": [1, "ü"]}


def test_text_is_not_escaped() -> None:
    assert "ü" in as_json({"name": "ü"})

"""The sentence on what the winner looks at names only what is clear, each with its number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fathometer.verdict.importance import (
    ColumnLoss,
    Importance,
    importance_sentence,
    loss_in_words,
)


def loss(name: str, value: float, half: float) -> ColumnLoss:
    return ColumnLoss(name, "number", value, value - half, value + half)


SEX, AGE, FARE = loss("sex", 0.121, 0.03), loss("age", 0.05, 0.02), loss("fare", 0.04, 0.02)
DOUBT, NOISE = loss("deck", 0.02, 0.018), loss("noise", -0.001, 0.004)


def found(*columns: ColumnLoss, metric: str = "roc_auc") -> Importance:
    return Importance("logistic", metric, 0.86, 178, 5, columns)


def test_the_first_has_its_number_and_the_next_two_are_named() -> None:
    assert importance_sentence(found(SEX, AGE, FARE, NOISE)) == (
        'The winner leans most on "sex": with its values exchanged among the rows, ROC AUC falls '
        'by 0.121 [0.091, 0.151]; then "age" and "fare".'
    )


def test_an_error_rises() -> None:
    said = importance_sentence(found(loss("income", 53_695.0, 3_300.0), NOISE, metric="rmse"))
    assert said.endswith("RMSE rises by 53,700 [50,400, 57,000].")


def test_what_could_be_chance_among_so_many_columns_is_not_named() -> None:
    assert found(SEX, DOUBT).needed == (SEX,)
    assert DOUBT.low > 0
    assert found(DOUBT).needed == (DOUBT,)  # alone it is clear
    assert "leans on no single column for certain" in importance_sentence(found(DOUBT, NOISE))
    assert "no loss of ROC AUC is clear" in importance_sentence(found(NOISE))


def test_few_groups_must_show_more() -> None:
    clear = replace(found(loss("deck", 0.02, 0.0155), NOISE), independent=178)
    assert clear.needed
    assert not replace(clear, independent=4).needed


def test_a_model_that_looks_at_nothing_and_one_of_one_column() -> None:
    ignored = ColumnLoss("age", "number", 0.0, 0.0, 0.0)
    assert importance_sentence(found(ignored, ignored)).startswith("The winner looks at no column")
    assert importance_sentence(found(SEX)).startswith('The winner looks at one column, "sex": with')
    wide = replace(found(SEX), left_out=3)
    assert importance_sentence(wide).startswith('The winner leans most on "sex"')


@pytest.mark.parametrize(
    ("value", "half", "said"),
    [(0.0, 0.0, "0.000"), (0.00291, 0.004, "0.0029 [−0.0011, 0.0069]"), (-2.0, 0.0, "−2.000")],
)
def test_numbers_have_the_places_of_their_interval(value: float, half: float, said: str) -> None:
    assert loss_in_words(loss("age", value, half)) == said

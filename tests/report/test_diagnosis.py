import numpy as np

from fathometer.report.diagnosis import POINTS, confusion, reliability, residuals


def test_reliability_counts_every_row_once_and_leaves_out_empty_bins():
    chance = np.array([0.0, 0.05, 0.5, 1.0])
    drawn = reliability(
        "m", "deep", ("no", "yes"), np.array([0, 1, 1, 1]), np.column_stack([1 - chance, chance])
    )
    assert drawn.counts == (2, 1, 1)
    assert drawn.observed == (0.5, 1.0, 1.0)
    assert drawn.of == "“yes”"


def test_with_more_classes_reliability_is_of_the_class_answered():
    scores = np.array([[0.8, 0.1, 0.1], [0.2, 0.75, 0.05]])
    drawn = reliability("m", "deep", ("a", "b", "c"), np.array([0, 2]), scores)
    assert dict(zip(drawn.counts, drawn.observed, strict=True)) in ({1: 1.0}, {1: 0.0})
    assert drawn.of == "the class answered"


def test_confusion_has_true_classes_down_and_answers_across():
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]])
    drawn = confusion("m", "deep", ("a", "b"), np.array([0, 1, 1]), scores)
    assert drawn.counts == ((1, 0), (1, 1))


def test_residuals_show_a_bounded_sample_and_quantiles_of_all_rows():
    truth = np.arange(10_001.0)
    drawn = residuals("m", "deep", truth, truth + 3)
    assert len(drawn.actual) == len(drawn.predicted) == POINTS
    assert (drawn.actual[0], drawn.actual[-1], drawn.rows) == (0.0, 10_000.0, 10_001)
    assert set(drawn.errors) == {3.0}


def test_residuals_of_one_row_are_drawn_too():
    assert residuals("m", "deep", np.array([1.0]), np.array([2.0])).errors == (1.0,) * 5

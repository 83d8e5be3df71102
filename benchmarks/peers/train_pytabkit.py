"""RealMLP-TD or TabM-D of pytabkit, with its tuned defaults: a bag of five folds.

Epochs are counted so that all folds fit into the time, by the seconds of one epoch measured first:
RealMLP's schedules then end where they should, and TabM, which has none, stops there unless its
patience ended it before."""

from __future__ import annotations

import math
import os
import time

import numpy as np
import pandas as pd
from exam import Exam, plain_columns, quality, take

FOLDS = 5
SHARE = 0.85  # of the time
PROBE = 8  # epochs whose seconds are taken
MOST_EPOCHS = {"realmlp": 256, "tabm": 1000}
METRICS = {"roc_auc": "1-auc_ovr", "accuracy": "class_error", "rmse": "rmse"}


def model(exam: Exam, epochs: int, fold: int) -> object:
    from pytabkit import models

    kind = "Classifier" if exam.classes else "Regressor"
    name = {"realmlp": "RealMLP_TD", "tabm": "TabM_D"}[exam.variant]
    made = getattr(models.sklearn.sklearn_interfaces, f"{name}_{kind}")
    return made(
        device="cpu",
        n_cv=1,
        n_threads=os.cpu_count(),
        random_state=fold,
        n_epochs=epochs,
        val_metric_name=METRICS[exam.metric],
    )


def without_texts(exam: Exam) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Train and test rows, missing numbers replaced by the median beside a mark of their own:
    RealMLP and TabM take none."""
    train, test, categories, texts = plain_columns(exam)
    train, test = train.drop(columns=texts), test.drop(columns=texts)
    for name in [each for each in train.columns if each not in categories]:
        if train[name].isna().any() or test[name].isna().any():
            middle = train[name].median()
            middle = 0.0 if math.isnan(middle) else middle
            for rows in (train, test):
                rows.insert(
                    len(rows.columns), f"{name} missing", rows[name].isna().astype("float64")
                )
                rows[name] = rows[name].fillna(middle)
    for name in categories:
        train[name], test[name] = train[name].astype("category"), test[name].astype("category")
    return train, test, categories


def main() -> None:
    exam = take()
    import pytabkit.models.sklearn.sklearn_interfaces  # noqa: F401
    from sklearn.model_selection import KFold, StratifiedKFold

    train, test, categories = without_texts(exam)
    kind = StratifiedKFold if exam.classes else KFold
    folds = [
        held for _, held in kind(FOLDS, shuffle=True, random_state=0).split(train, exam.target)
    ]

    def fit(epochs: int, fold: int) -> object:
        fitted = model(exam, epochs, fold)
        fitted.fit(train, exam.target, val_idxs=folds[fold], cat_col_names=categories)
        return fitted

    def ask(fitted: object, rows: pd.DataFrame) -> np.ndarray:
        answers = fitted.predict_proba(rows) if exam.classes else fitted.predict(rows)
        return np.asarray(answers, dtype=np.float64).reshape(len(rows), -1 if exam.classes else 1)

    quick = ask(fit(1, 0), test)  # also loads what is loaded once
    exam.hand_in(quick if exam.classes else quick[:, 0])  # better than none
    times = [time.monotonic()]
    for epochs in (1, 1 + PROBE):
        fit(epochs, 0)
        times.append(time.monotonic())
    one, more = np.diff(times)
    epoch_seconds = max((more - one) / PROBE, more / (1 + PROBE) / 4)  # the second if noise rules
    fixed = max(one - epoch_seconds, 0.0)  # a fit without its epochs
    now = times[-1]
    end = now + SHARE * exam.seconds_left
    tested, scores, counts = [], [], []
    for fold in range(FOLDS):
        seconds = (end - time.monotonic()) / (FOLDS - fold) - fixed
        epochs = min(int(seconds / epoch_seconds), MOST_EPOCHS[exam.variant])
        if epochs < 1 and tested:
            break
        epochs = max(epochs, 1)
        started = time.monotonic()
        fitted = fit(epochs, fold)
        tested.append(ask(fitted, test))
        answers = np.mean(tested, axis=0)
        exam.hand_in(answers if exam.classes else answers[:, 0])
        held = ask(fitted, train.iloc[folds[fold]])
        scores.append(quality(exam, folds[fold], held if exam.classes else held[:, 0]))
        counts.append(epochs)
        # A fold that was quicker than foreseen says nothing: TabM may have ended before its last
        # epoch, and few epochs are lost in what a fit takes besides.
        epoch_seconds = max(epoch_seconds, (time.monotonic() - started - fixed) / epochs)
    print(f"epochs {counts}, {epoch_seconds:.2f} s each; held-out {np.round(scores, 4).tolist()}")


if __name__ == "__main__":
    main()

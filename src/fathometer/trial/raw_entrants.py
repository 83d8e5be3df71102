"""Who enters where there are pictures or texts: the contestants that read them, of both families.

What stands beside them on plain tables stays where it helps: trees read the engineered features of
pictures and texts, but one kind of them is enough, since each costs a hundred columns' time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from fathometer.features.roads import feature_specs
from fathometer.learners.constant import Constant
from fathometer.learners.contract import Learner
from fathometer.learners.linear import Ridge
from fathometer.learners.neighbours import Neighbours
from fathometer.learners.ngram_linear import (
    NaiveBayesSVM,
    NgramBayes,
    NgramLogistic,
    NgramRidge,
    Spread,
)
from fathometer.learners.picture_networks import picture_networks
from fathometer.learners.support_vectors import KernelMachine, LinearMachine
from fathometer.learners.text_networks import text_networks, word_bag
from fathometer.table.kind import Kind
from fathometer.table.spoken import words_in
from fathometer.table.table import Column, Table
from fathometer.table.task import Task, TaskKind

LEAST_WORDS = 5.0  # on average; below it texts are names, titles or codes, which tables handle
LOOKED_AT = 1_000  # texts


@dataclass(frozen=True)
class RawSteps:
    """One effort in steps, for pictures and texts."""

    folds: int  # of tables with pictures or texts, whose networks cost minutes each
    picture_epochs: int
    landmarks: int  # of the kernel machine
    text_epochs: int
    tokens: int  # of a text that networks read
    seeds: int  # networks a fold
    ngrams: int  # columns of a text at most
    words: int  # of the longest n-gram of words
    short_bytes: int  # of text, up to which characters are counted as well
    attended: int  # words of all texts together, up to which a transformer enters
    convolved: int  # and up to which a convolution and a second booster do


def has_pictures(table: Table, task: Task) -> bool:
    """Whether there are pictures to learn from."""
    return any(spec.kind is Kind.IMAGE for spec in feature_specs(table, task))


def has_prose(table: Table, task: Task) -> bool:
    """Whether there are texts of some length to learn from."""
    return _longest(table, task) >= LEAST_WORDS


def _longest(table: Table, task: Task) -> float:
    """Words of a text, mean over some, in the column where they are most; 0 without texts."""
    texts = [table[s.name] for s in feature_specs(table, task) if s.kind is Kind.TEXT]
    return max(map(_words, texts), default=0.0)


def _words(column: Column) -> float:
    """Words of a text, mean over some of them."""
    texts = column.strings[:: max(1, len(column.values) // LOOKED_AT)]
    return float(pc.mean(words_in(pa.array(texts, pa.string()))).as_py()) if len(texts) else 0.0


def picture_entrants(
    task: Task, table: Table, steps: RawSteps, trees: tuple[Learner, Learner], seed: int
) -> tuple[Learner, ...]:
    """Contestants for tables with pictures, whatever else they hold; beside prose a linear learner
    on n-grams is among them, and networks read the texts as they are.

    trees: as they enter for tables."""
    prose = has_prose(table, task)
    sizes = [spec.size for spec in feature_specs(table, task) if spec.kind is Kind.IMAGE]
    largest = max(sizes, key=lambda size: size.height * size.width)
    old, modern, today = picture_networks(
        (largest.height, largest.width),
        epochs=steps.picture_epochs,
        seeds=steps.seeds,
        seed=seed,
        text=word_bag(steps.tokens) if prose else None,
    )
    boosted, forest = trees
    spread = Spread(most=steps.ngrams, short_bytes=steps.short_bytes)
    if task.kind is TaskKind.REGRESS:
        ridge = (NgramRidge(spread=spread),) if prose else ()
        return (Constant(), Ridge((1e-1, 1e-2, 1e-3)), *ridge, boosted, modern, today, forest)
    logistic = (NgramLogistic(spread=spread),) if prose else ()
    return (
        Constant(),
        LinearMachine(),
        *logistic,
        boosted,
        old,
        KernelMachine(landmarks=steps.landmarks),
        today,
        forest,
        modern,
        Neighbours((40, 10), 2_500),
    )


def text_entrants(
    task: Task, table: Table, steps: RawSteps, trees: Mapping[str, Learner], seed: int
) -> tuple[Learner, ...]:
    """Contestants for tables with texts, whatever else they hold; `too_costly` may keep some out.

    trees: learners of tables by their names."""
    vectors, *networks = text_networks(
        length=steps.tokens, epochs=steps.text_epochs, seeds=steps.seeds, seed=seed
    )
    names = ["LightGBM", "random forest"]
    if not only_texts(table, task):
        names += ["CatBoost", "modern network"]
    own = [trees[name] for name in names]
    spread = Spread(most=steps.ngrams, short_bytes=steps.short_bytes)
    wide = Spread((1, steps.words), most=2 * steps.ngrams, short_bytes=steps.short_bytes)
    if task.kind is TaskKind.REGRESS:
        return (Constant(), NgramRidge(spread=spread), vectors, *own, *networks)
    return (
        Constant(),
        NgramLogistic(spread=spread),
        vectors,
        *own,
        NgramBayes(spread=spread),
        NaiveBayesSVM(spread=wide),
        *networks,
    )


def too_costly(task: Task, table: Table, steps: RawSteps) -> frozenset[str]:
    """Names of those who would cost most of the time for little, where there are many words.

    The transformer reads half as many words as the convolution: out as well where that is less than
    half of a usual text (imdb, 230 words: accuracy 0.79 of 64, in 98 of 261 s). On clothing_reviews
    (1.4 million words, quick) it took 107 s for the fifth place, the convolution 65 s for the
    fourth of the networks and linear models that read texts raw, CatBoost 24 s for LightGBM's
    answer; on imdb the convolution 74 s for 0.842 against the word vectors' 0.888."""
    longest = _longest(table, task)
    words = longest * len(table)
    names = set()
    if longest > steps.tokens or words > steps.attended:
        names.add("word transformer")
    if words > steps.convolved:
        names |= {"word convolution", "CatBoost"}
    return frozenset(names)


def only_texts(table: Table, task: Task) -> bool:
    """Whether texts are all there is to learn from."""
    return all(spec.kind is Kind.TEXT for spec in feature_specs(table, task))

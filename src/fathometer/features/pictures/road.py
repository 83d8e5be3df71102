"""The engineered road of a column of pictures: its steps for trees and for products.

Trees look at every column for every question, so they get few: components of the edges and of the
pixels. What is added up or compared as a whole can take all edges, but for sparse rows, which hold
every column with its place."""

from __future__ import annotations

from fathometer.features.pictures.colours import Colours
from fathometer.features.pictures.fitted import (
    Measured,
    fit_components,
    fit_standardised,
    fit_weighed,
)
from fathometer.features.pictures.hog import Hog
from fathometer.features.pictures.measured import Measure
from fathometer.features.pictures.textures import Textures
from fathometer.features.pictures.thumbnail import Thumbnail
from fathometer.features.recipe import Step
from fathometer.table.kind import ColumnSpec
from fathometer.table.table import Table

# For trees. Against 96 and 48, LightGBM on 8,000 pictures (30 rounds, 5,000 others): Fashion-MNIST
# 0.875 right in 1.7 s and 0.874 in 2.2 s; CIFAR-10 0.572 in 3.9 s and 0.577 in 4.6 s.
EDGE_COMPONENTS = 64
PIXEL_COMPONENTS = 32
TREE_LEVELS = 24
# For products. With 128, or all pixels, a kernel machine on 8,000 pictures is no better.
PRODUCT_COMPONENTS = 64
PRODUCT_LEVELS = 1024
# What the pixels' components weigh in products, against the edges' columns with a variance of 1
# each; 0.5 and 1 are no better.
PIXEL_SHARE = 0.25
# For products in sparse rows: components of each measure. On 4,000 pictures of Fashion-MNIST beside
# tweets, n-gram logistic was right 0.825 of the time with 24, 0.841 with 48 and 0.848 with 96.
SPARSE_COMPONENTS = 48
# Smaller pictures have no cells of edges and no patterns around a pixel; their pixels say all.
LEAST_SIDE = 6


def fit_for_trees(training: Table, spec: ColumnSpec, *, seed: int) -> list[Step]:
    """Steps whose numbers are whole: 200 of them for gray pictures, 290 for coloured ones."""

    def components(measure: Measure, most: int) -> Step:
        return fit_components(
            measure, training[spec.name], most=most, levels=TREE_LEVELS, seed=seed
        )

    steps = [components(Thumbnail(spec), PIXEL_COMPONENTS), Measured(Colours(spec))]
    if _has_edges(spec):
        steps += [components(Hog(spec), EDGE_COMPONENTS), Measured(Textures(spec))]
    return steps


def fit_for_products(training: Table, spec: ColumnSpec, *, seed: int) -> list[Step]:
    """Steps whose numbers are scaled: at most some 1,550 of them."""
    column = training[spec.name]
    colours = fit_standardised(Colours(spec), column)
    if not _has_edges(spec):
        return [colours, fit_standardised(Thumbnail(spec), column)]
    edges, textures = (fit_standardised(each, column) for each in (Hog(spec), Textures(spec)))
    pixels = fit_components(
        Thumbnail(spec), column, most=PRODUCT_COMPONENTS, levels=PRODUCT_LEVELS, seed=seed
    )
    variance = PIXEL_SHARE * len(edges.names)
    return [edges, textures, colours, fit_weighed(pixels, training, variance=variance)]


def fit_for_sparse_products(training: Table, spec: ColumnSpec, *, seed: int) -> list[Step]:
    """Steps whose numbers are scaled, as few as the words of a text: at most 192 of them."""
    measures: list[Measure] = [Colours(spec), Thumbnail(spec)]
    if _has_edges(spec):
        measures = [Hog(spec), Textures(spec), *measures]
    steps: list[Step] = []
    for measure in measures:
        found = fit_components(
            measure, training[spec.name], most=SPARSE_COMPONENTS, levels=PRODUCT_LEVELS, seed=seed
        )
        steps.append(fit_weighed(found, training, variance=len(found.names)))
    return steps


def _has_edges(spec: ColumnSpec) -> bool:
    return min(spec.size.height, spec.size.width) >= LEAST_SIDE

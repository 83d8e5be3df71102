"""The engineered road of a column of pictures: its steps for trees and for products.

Trees look at every column for every question, so they get few: components of the edges and of the
pixels. What is added up or compared as a whole can take all edges."""

from __future__ import annotations

from fathometer.features.pictures.colours import Colours
from fathometer.features.pictures.fitted import (
    Measured,
    fit_components,
    fit_standardised,
    fit_weighed,
)
from fathometer.features.pictures.hog import Hog
from fathometer.features.pictures.textures import Textures
from fathometer.features.pictures.thumbnail import Thumbnail
from fathometer.features.recipe import Step
from fathometer.table.kind import ColumnSpec
from fathometer.table.table import Table

EDGE_COMPONENTS = 96  # for trees
PIXEL_COMPONENTS = 48  # for trees
PRODUCT_COMPONENTS = 64
# What the pixels' components weigh in products, against the edges' columns with a variance of 1.
PIXEL_SHARE = 0.25
# Smaller pictures have no cells of edges and no patterns around a pixel; their pixels say all.
LEAST_SIDE = 6


def fit_for_trees(training: Table, spec: ColumnSpec, *, seed: int) -> list[Step]:
    """Steps whose numbers are whole, some 250 of them."""
    column, steps = training[spec.name], list[Step]()
    if _has_edges(spec):
        edges = fit_components(Hog(spec), column, most=EDGE_COMPONENTS, seed=seed, called="edge")
        steps += [edges, Measured(Textures(spec))]
    pixels = fit_components(
        Thumbnail(spec), column, most=PIXEL_COMPONENTS, seed=seed, called="pixel"
    )
    return [*steps, pixels, Measured(Colours(spec))]


def fit_for_products(training: Table, spec: ColumnSpec, *, seed: int) -> list[Step]:
    """Steps whose numbers are scaled, at most some 1,550 of them."""
    column = training[spec.name]
    colours = fit_standardised(Colours(spec), column)
    if not _has_edges(spec):
        return [colours, fit_standardised(Thumbnail(spec), column)]
    edges, textures = (fit_standardised(each, column) for each in (Hog(spec), Textures(spec)))
    pixels = fit_components(
        Thumbnail(spec), column, most=PRODUCT_COMPONENTS, seed=seed, called="pixel"
    )
    variance = PIXEL_SHARE * len(edges.names)
    return [edges, textures, colours, fit_weighed(pixels, training, variance=variance)]


def _has_edges(spec: ColumnSpec) -> bool:
    return min(spec.size.height, spec.size.width) >= LEAST_SIDE

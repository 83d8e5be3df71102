"""Real pictures for everybody: gray clothes and coloured photographs, few of each."""

from __future__ import annotations

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fathometer.table.kind import Kind
from fathometer.table.table import Table, column_from, picture_column
from shared_files import shared


def table_of(pixels: np.ndarray, labels: list[str]) -> Table:
    columns = picture_column("photo", pixels), column_from("label", Kind.CATEGORY, labels)
    return Table(columns, "pictures")


@pytest.fixture(scope="session")
def clothes() -> Table:
    """800 gray pictures of 28 x 28, ten classes."""
    paths = sorted(shared("images/fashion_mnist_folder/train").glob("*/*.png"))
    pixels = np.stack([np.asarray(Image.open(path)) for path in paths])[..., None]
    return table_of(pixels, [path.parent.name for path in paths])


@pytest.fixture(scope="session")
def photographs() -> Table:
    """3,000 coloured pictures of 32 x 32, ten classes."""
    path = shared("images/cifar10_part_train.parquet")
    drawn = np.random.default_rng(0).permutation(15_000)[:3_000]  # they lie class by class
    rows = pq.read_table(path).take(drawn).to_pydict()
    contents = [each["bytes"] if isinstance(each, dict) else each for each in rows["image"]]
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(content))) for content in contents])
    return table_of(pixels, rows["label"])

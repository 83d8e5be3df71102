"""Pictures for a model from elsewhere, in the axes, the size and the numbers that it takes.

They are read from where they lie, at the model's own size, not from the size that the contestants
learn at: a network taught at 224 pixels answers worse what was made smaller first. Decoded when
their rows are asked, so that neither all pictures nor all their numbers lie in memory together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from fathometer.errors import ColumnError
from fathometer.modelfile.picture_list import PictureList
from fathometer.runtime import cores
from fathometer.table.kind import LARGEST_SIDE, PictureSize
from fathometer.table.resizing import resized
from fathometer.table.sources.decode import quiet_decoders
from fathometer.table.table import Column
from fathometer.trial.foreign import Port
from fathometer.trial.picture_mapping import UNSAID, PictureMapping

AXES = 4  # rows, channels, height and width
FLOATS = ("float32", "float64", "float16")
# Of one call: what a convolution answers is some hundred times larger than the picture. VGG-16
# takes 0.5 GB for 16 pictures of 224 × 224 and 2.6 GB for 64, of which none is answered sooner.
MOST_PICTURES = 64
MOST_VALUES = 2_500_000  # 16 pictures of 224 × 224 in colour
MOST_FIXED_VALUES = 100_000_000  # where a model insists on so many pictures
TRY = "--with MODEL.onnx:mapping.toml"


@dataclass(frozen=True, eq=False)
class PictureForm:
    """How a model takes a picture.

    `levels` (channels, 256) in the model's element is what each byte becomes; None for a model of
    bytes."""

    size: PictureSize  # its channels are those that are decoded
    channels: int  # of the input: three may all be gray
    is_channels_first: bool
    is_blue_first: bool = False
    levels: np.ndarray | None = None
    crop: float | None = None

    @property
    def most_rows(self) -> int:
        """How many pictures to ask about in one call."""
        return max(1, min(MOST_PICTURES, MOST_VALUES // self._values))

    @property
    def most_fixed(self) -> int:
        """How many pictures a model may insist on in one call."""
        return MOST_FIXED_VALUES // self._values

    @property
    def _values(self) -> int:
        return self.size.height * self.size.width * self.channels

    def read(self, column: Column, rows: np.ndarray) -> np.ndarray:
        """(rows, height, width, channels) uint8: pictures of a column at this size.

        Raises: PictureError, KindError for one that cannot be read."""
        if column.spec.size == self.size and self.crop is None:
            return np.asarray(column.pixels[rows])
        pictures = column.pixels if column.origins is None else column.origins
        spec = replace(column.spec, picture=self.size)

        def one(row: int) -> np.ndarray:
            ((picture,),) = PictureList([pictures[row]], spec, row).runs()
            return resized(self._middle(picture), self.size)

        # A model that insists on so many rows is asked about the last one more than once.
        asked, places = np.unique(rows, return_inverse=True)
        with quiet_decoders(), ThreadPoolExecutor(cores()) as pool:
            return np.stack([*pool.map(one, asked.tolist())])[places]

    def fed(self, pixels: np.ndarray) -> np.ndarray:
        """What enters the model for pictures as `read` gives them."""
        if pixels.shape[3] < self.channels:
            pixels = np.repeat(pixels, self.channels, axis=3)
        if self.is_blue_first:
            pixels = pixels[..., ::-1]
        if self.is_channels_first:
            pixels = pixels.transpose(0, 3, 1, 2)
        if self.levels is None:
            return np.ascontiguousarray(pixels)
        made = np.empty(pixels.shape, self.levels.dtype)
        axis = 1 if self.is_channels_first else 3
        for channel, levels in enumerate(self.levels):
            place = (slice(None),) * axis + (channel,)
            made[place] = levels[pixels[place]]
        return made

    def _middle(self, picture: np.ndarray) -> np.ndarray:
        """The middle of a picture in this form's shape; all of it where nothing is to be cut."""
        if self.crop is None:
            return picture
        height, width = picture.shape[:2]
        unit = self.crop * min(height / self.size.height, width / self.size.width)
        down, across = (max(1, round(unit * side)) for side in (self.size.height, self.size.width))
        top, left = (height - down) // 2, (width - across) // 2
        return picture[top : top + down, left : left + across]


@dataclass(frozen=True, eq=False)
class PictureFeed:
    """A column of pictures as an input; a part of it, by a slice or by places, is what enters."""

    form: PictureForm
    column: Column
    decoded: np.ndarray | None = None  # (rows, height, width, channels) uint8

    def __len__(self) -> int:
        return len(self.column.values)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        if self.decoded is not None:
            return self.form.fed(self.decoded[rows])
        return self.form.fed(self.form.read(self.column, np.arange(len(self))[rows]))

    def ready(self) -> PictureFeed:
        """The same with its pictures decoded, for who asks again and again about few."""
        return replace(self, decoded=self.form.read(self.column, np.arange(len(self))))


def picture_form(column: Column, port: Port, said: PictureMapping = UNSAID) -> PictureForm:
    """How this input of a model takes the pictures of a column.

    Raises:
        ColumnError: if it takes none, or more must be said of it.
    """
    if len(port.axes) != AXES:
        raise ColumnError(
            f'the model takes "{port}", and "{column.name}" holds pictures.',
            details="pictures enter (rows, channels, height, width) or (rows, height, width, "
            "channels); a model of pixels side by side is exported with its Reshape in it",
        )
    if port.element not in (*FLOATS, "uint8"):
        raise ColumnError(
            f'the model takes "{port}"; pictures enter uint8, float16, float32 or float64.'
        )
    is_first = _is_channels_first(port, said)
    channels = _channels(port, said, is_first)
    height, width = _sides(port, said, port.axes[2:] if is_first else port.axes[1:3])
    decoded = 1 if said.colours == "gray" else channels
    return PictureForm(
        PictureSize(height, width, decoded),
        channels,
        is_first,
        said.colours == "bgr",
        _levels(port, said, channels),
        said.crop,
    )


def _is_channels_first(port: Port, said: PictureMapping) -> bool:
    if said.layout:
        return said.layout == "NCHW"
    first, last = (port.axes[place] in (1, 3) for place in (1, 3))
    if first == last:
        raise _unsaid(port, "where its channels stand", 'layout = "NCHW"', '"NHWC"')
    return first


def _channels(port: Port, said: PictureMapping, is_first: bool) -> int:
    found = port.axes[1 if is_first else 3]
    if found is None:
        if not said.colours:
            raise _unsaid(port, "how many channels it takes", 'colours = "rgb"', '"bgr" or "gray"')
        return 1 if said.colours == "gray" else 3
    if found not in (1, 3):
        layout = "NCHW" if is_first else "NHWC"
        raise ColumnError(
            f'the model takes "{port}", which in {layout} are {found:,} channels; pictures have 1, '
            "gray, or 3, in colour.",
            details=f'a mapping says where the channels stand:  [input.{port.name}]  layout = "'
            f'{"NHWC" if is_first else "NCHW"}"',
            try_next=TRY,
        )
    if found == 1 and said.colours in ("rgb", "bgr"):
        raise ColumnError(
            f'the mapping puts "{said.colours}" into {port.name}; the model takes "{port}", one '
            "channel.",
            try_next=TRY,
        )
    return found


def _sides(port: Port, said: PictureMapping, axes: tuple[int | None, ...]) -> tuple[int, int]:
    """Height and width of the input: its own, or what the mapping says where it takes any."""
    height, width = (own or side for own, side in zip(axes, said.size or (None, None), strict=True))
    if height is None or width is None:
        raise _unsaid(port, "at which size it was taught", "size = [224, 224]", "another")
    if said.size is not None and said.size != (height, width):
        raise ColumnError(
            f'the mapping says size = {[*said.size]}; the model takes "{port}".', try_next=TRY
        )
    if max(height, width) > LARGEST_SIDE:
        raise ColumnError(
            f'the model takes "{port}"; pictures are given up to {LARGEST_SIDE:,} pixels wide.'
        )
    return height, width


def _levels(port: Port, said: PictureMapping, channels: int) -> np.ndarray | None:
    """(channels, 256) what each byte becomes, None where it stays what it is."""
    if port.element == "uint8":
        if said.range or said.mean or said.std:
            raise ColumnError(
                f'the model takes "{port}": bytes as they are, without range, mean and std.',
                try_next=TRY,
            )
        return None
    if said.range is None:
        raise _unsaid(
            port,
            "which numbers its pixels were",
            "range = [0, 1]",
            "[-1, 1] or [0, 255]: what 0 and 255 became when it was taught; with mean = […] and "
            "std = […] of each channel where they were used",
        )
    if {len(said.mean), len(said.std)} - {0, 1, channels}:
        raise ColumnError(
            f"the mapping has a mean of {len(said.mean)} and a std of {len(said.std)} numbers; "
            f'the model takes "{port}", {channels} of each or one.',
            try_next=TRY,
        )
    low, high = said.range
    numbers = low + np.arange(256) / 255 * (high - low)
    mean, std = (np.array(each or (plain,)) for each, plain in ((said.mean, 0.0), (said.std, 1.0)))
    levels = np.broadcast_to((numbers - mean[:, None]) / std[:, None], (channels, 256))
    return levels.astype(port.element)


def _unsaid(port: Port, what: str, line: str, others: str) -> ColumnError:
    return ColumnError(
        f'the model takes "{port}", and nothing says {what}.',
        details=f"a mapping says it:  [input.{port.name}]  {line}   or {others}",
        try_next=TRY,
    )

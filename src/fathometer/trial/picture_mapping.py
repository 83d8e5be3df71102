"""What the mapping file says of an input that takes pictures: what the model itself cannot tell.

[input.pixels]
columns = ["image"]          # left out: the only column of pictures
layout = "NCHW"              # or "NHWC"; left out: told by the 1 or 3 among the axes
size = [224, 224]            # height and width, where the model takes any
colours = "bgr"              # or "gray"; left out: "rgb" in three channels
range = [0, 1]               # what 0 and 255 become; must be said of numbers with a fraction
mean = [0.485, 0.456, 0.406] # taken off then, of each channel or of all
std = [0.229, 0.224, 0.225]  # divided by then
crop = 0.875                 # the middle alone; left out: all of the picture, stretched
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fathometer.table.kind import LARGEST_SIDE
from fathometer.trial.toml_file import TomlFile

LAYOUTS = ("NCHW", "NHWC")
COLOURS = ("rgb", "bgr", "gray")
KEYS = {"layout", "size", "colours", "range", "mean", "std", "crop"}


@dataclass(frozen=True)
class PictureMapping:
    """How pictures enter an input; what is empty is found out from the model, or asked for."""

    layout: str = ""
    size: tuple[int, int] | None = None  # height, width
    colours: str = ""
    range: tuple[float, float] | None = None  # of 0 and 255
    mean: tuple[float, ...] = ()  # a number a channel, or one for all
    std: tuple[float, ...] = ()
    crop: float | None = None  # of the largest middle part that has the input's shape


UNSAID = PictureMapping()


def picture_mapping(file: TomlFile, said: Mapping[str, Any], place: str) -> PictureMapping:
    """What an input's table says of pictures.

    place: of the table, with its dot: "input.pixels.".

    Raises:
        OptionError: if it says it otherwise.
    """
    deviations = _numbers(file, said, place, "std", most=3)
    if any(each <= 0 for each in deviations):
        raise file.refused(f"has {place}std {said['std']}; pictures are divided by it")
    return PictureMapping(
        _one_of(file, said, place, "layout", LAYOUTS),
        _size(file, said, place),
        _one_of(file, said, place, "colours", COLOURS),
        _range(file, said, place),
        _numbers(file, said, place, "mean", most=3),
        deviations,
        _crop(file, said, place),
    )


def _one_of(
    file: TomlFile, said: Mapping[str, Any], place: str, key: str, known: tuple[str, ...]
) -> str:
    found = said.get(key, "")
    if found != "" and found not in known:
        words = " or ".join(f'"{each}"' for each in known)
        raise file.refused(f'has {place}{key} "{str(found)[:40]}"; it is {words}')
    return str(found)


def _size(file: TomlFile, said: Mapping[str, Any], place: str) -> tuple[int, int] | None:
    sides = _numbers(file, said, place, "size", most=2)
    if not sides:
        return None
    if len(sides) != 2 or any(not 1 <= side <= LARGEST_SIDE or side % 1 for side in sides):
        raise file.refused(
            f"has {place}size {said['size']}; it is a height and a width of 1 to "
            f"{LARGEST_SIDE:,} pixels, such as [224, 224]"
        )
    return int(sides[0]), int(sides[1])


def _range(file: TomlFile, said: Mapping[str, Any], place: str) -> tuple[float, float] | None:
    ends = _numbers(file, said, place, "range", most=2)
    if not ends:
        return None
    if len(ends) != 2 or ends[0] == ends[1]:
        raise file.refused(
            f"has {place}range {said['range']}; it is what 0 and 255 become, such as [0, 1]"
        )
    return ends[0], ends[1]


def _crop(file: TomlFile, said: Mapping[str, Any], place: str) -> float | None:
    if "crop" not in said:
        return None
    share = file.number(said["crop"], f"{place}crop")
    if not 0 < share <= 1:
        raise file.refused(f"has {place}crop {share:g}; it is a share of the picture, up to 1")
    return share


def _numbers(
    file: TomlFile, said: Mapping[str, Any], place: str, key: str, *, most: int
) -> tuple[float, ...]:
    """One number or several, none where nothing is said."""
    if key not in said:
        return ()
    found = said[key] if isinstance(said[key], list) else [said[key]]
    numbers = tuple(file.number(each, f"{place}{key}") for each in found)
    if not 1 <= len(numbers) <= most or not all(map(math.isfinite, numbers)):
        raise file.refused(f"has {place}{key} {str(said[key])[:60]}; it is 1 to {most} numbers")
    return numbers

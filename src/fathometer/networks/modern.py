"""The modern network: numbers enter through piecewise-linear encodings.

Its ingredients come from RealMLP (Holzmüller et al. 2024) and from "On embeddings for numerical
features" (Gorishniy et al. 2022).

Against the plain network with the learners' defaults (5 folds, 24 epochs, equal seconds, test rows
of the development tables) the RMSE on California housing falls from 53,961 to 46,478, the accuracy
on letter recognition rises from 95.9 to 97.0 % and the ROC AUC on adult (20,000 rows) from 0.910 to
0.919; one seed each."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fathometer.networks import layers
from fathometer.networks.network import Parameters
from fathometer.networks.stacked import Stacked


@dataclass(frozen=True)
class Modern(Stacked):
    """`depth` hidden layers of `width` SiLU units over numbers, their piecewise-linear encodings
    in `bins` bins, flags and embedded categories."""

    bins: int

    @property
    def height(self) -> int:
        """How many columns the first layer sees, bins among them."""
        return layers.encoded_width(self.shape, self.bins)

    def enter(self, numbers: Tensor, generator: torch.Generator) -> Parameters:
        """Bins from the rows, embeddings from the generator."""
        return layers.start_encoded(self.shape, self.bins, numbers, generator)

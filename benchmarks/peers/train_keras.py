"""Keras's `fit` on pictures: seconds of some passes over them.

    python train_keras.py FOLDER lenet-modern|fast PASSES

FOLDER holds pixels.npy (n, height, width, channels) uint8 and target.npy (n,) classes; writes
found.json there: wall-clock and processor seconds for 1,000 pictures, of each pass but the first,
in which the graph is compiled."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers

BATCH = 256


def lenet(maps: keras.KerasTensor) -> keras.KerasTensor:
    """LeNet-5's layout with ReLU, max pooling, batch norm and dropout."""
    maps = layers.ZeroPadding2D((32 - maps.shape[1]) // 2)(maps)
    for width in (12, 32):
        maps = layers.MaxPooling2D()(layers.Conv2D(width, 5, use_bias=False)(maps))
        maps = layers.ReLU()(layers.BatchNormalization(scale=False)(maps))
    flat = layers.Flatten()(maps)
    for width in (120, 84):
        flat = layers.Dense(width, use_bias=False)(layers.Dropout(0.25)(flat))
        flat = layers.ReLU()(layers.BatchNormalization()(flat))
    return flat


def fast(maps: keras.KerasTensor) -> keras.KerasTensor:
    """A fixed 2×2 convolution, then three blocks of two 3×3 ones, each halving the picture."""
    kernels = min(24, maps.shape[3] * 4)
    maps = layers.Conv2D(2 * kernels, 2, activation="gelu", trainable=False)(maps)
    for width in (32, 64, 64):
        maps = layers.Conv2D(width, 3, padding="same", use_bias=False)(maps)
        maps = layers.BatchNormalization(scale=False)(layers.MaxPooling2D()(maps))
        maps = layers.Conv2D(width, 3, padding="same", use_bias=False)(
            layers.Activation("gelu")(maps)
        )
        maps = layers.Activation("gelu")(layers.BatchNormalization(scale=False)(maps))
    return layers.GlobalMaxPooling2D()(maps)


def main() -> None:
    folder, network, passes = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    pixels = np.load(folder / "pixels.npy").astype(np.float32)
    target = np.load(folder / "target.npy")
    shown = keras.Input(pixels.shape[1:])
    scaled = layers.Rescaling(1 / 64, offset=-2)(shown)
    answer = layers.Dense(10)({"lenet-modern": lenet, "fast": fast}[network](scaled))
    model = keras.Model(shown, answer)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.AdamW(1e-3), loss)
    found = []
    for _ in range(passes + 1):
        wall, processor = time.perf_counter(), time.process_time()
        model.fit(pixels, target, batch_size=BATCH, epochs=1, verbose=0)
        spent = time.perf_counter() - wall, time.process_time() - processor
        found.append([each * 1000 / len(pixels) for each in spent])
    (folder / "found.json").write_text(json.dumps(found[1:]))


main()

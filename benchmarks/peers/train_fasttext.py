"""fastText's supervised training on a file of labelled lines; answers on the test file's lines.

    python train_fasttext.py FOLDER EPOCHS THREADS

FOLDER holds train.txt and test.txt, a text a line after its `__label__…`; writes found.json there:
seconds of training with reading the file, share of test lines answered rightly."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import fasttext

WIDTH, RATE = 32, 0.5


def main() -> None:
    folder, epochs, threads = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    began = time.monotonic()
    model = fasttext.train_supervised(
        str(folder / "train.txt"),
        lr=RATE,
        epoch=epochs,
        dim=WIDTH,
        wordNgrams=2,
        minn=3,
        maxn=5,
        thread=threads,
        verbose=0,
    )
    seconds = time.monotonic() - began
    _, right, _ = model.test(str(folder / "test.txt"))
    (folder / "found.json").write_text(json.dumps({"seconds": seconds, "accuracy": right}))


main()

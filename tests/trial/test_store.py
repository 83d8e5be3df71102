"""Promises of the run's log: nothing that was acknowledged is lost, nothing damaged is read."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from fathometer.errors import StoreError
from fathometer.trial.scorecard import Bill, Quality, Scorecard
from fathometer.trial.store import NAME, RunStore, StoredTrial, run_key, scorecard_from

APPEND_FOREVER = """
import sys
from pathlib import Path
import numpy as np
from fathometer.trial.scorecard import Scorecard
from fathometer.trial.store import RunStore, StoredTrial
with RunStore.open(Path(sys.argv[1]), "key") as store:
    number = len(store.names())
    while True:
        number += 1
        store.finish(StoredTrial(Scorecard(f"{number}", "deep"), bytes(30_000), np.eye(50)))
        print(number, flush=True)
"""

FILL_THE_DISK = """
import resource, sys
from pathlib import Path
from fathometer.errors import StoreError
from fathometer.trial.scorecard import Scorecard
from fathometer.trial.store import RunStore, StoredTrial
with RunStore.open(Path(sys.argv[1]), "key") as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    try:
        for number in range(1000):
            store.finish(StoredTrial(Scorecard(f"{number}", "deep"), bytes(1000)))
    except StoreError as error:
        print(error.message)
"""


def a_scorecard(name: str = "ridge") -> Scorecard:
    bill = Bill(0.1, 1 / 3, "estimated", 1000, 2000, 0.03, 0.09, 5e4)
    quality = Quality("rmse", 1 / 3, 0.1, 0.7)
    return Scorecard(name, "traditional", quality=quality, out_of_fold=2 / 3, bill=bill)


def test_a_trial_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    scores = np.random.default_rng(0).random((7, 3))
    with RunStore.open(tmp_path, "key") as store:
        store.finish(StoredTrial(a_scorecard(), b"model", scores, scores[:2], scores[2:4]))
    with RunStore.open(tmp_path, "key") as store:
        known = store.finished("ridge")
        assert store.names() == ("ridge",)
        assert store.finished("lasso") is None
    assert known is not None
    assert (known.scorecard, known.content) == (a_scorecard(), b"model")
    np.testing.assert_array_equal(known.lockbox, scores)
    np.testing.assert_array_equal(known.out_of_fold, scores[:2])
    np.testing.assert_array_equal(known.plain, scores[2:4])


def test_a_failed_trial_is_kept_without_model_and_answers(tmp_path: Path) -> None:
    failed = Scorecard("xgboost", "traditional", state="not entered", failure="not installed")
    with RunStore.open(tmp_path, "key") as store:
        store.finish(StoredTrial(failed))
        known = store.finished("xgboost")
    assert known is not None
    assert (known.scorecard, known.content, known.lockbox) == (failed, None, None)


def test_a_scorecard_survives_its_json() -> None:
    for card in (a_scorecard(), Scorecard("bare", "deep")):
        assert scorecard_from(card.as_json()) == card


def test_an_unfinished_run_of_another_key_is_refused_and_kept(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, "old", words="houses.csv, target price") as store:
        store.finish(StoredTrial(a_scorecard()))
    with pytest.raises(StoreError, match="an unfinished run of other data") as caught:
        RunStore.open(tmp_path, "new", words="cars.csv, target price")
    assert "houses.csv" in caught.value.details
    assert caught.value.try_next == "--out OTHER"
    with RunStore.open(tmp_path, "old") as store:
        assert store.names() == ("ridge",)


def test_a_stopped_run_gives_way_until_it_goes_on(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, "old") as store:
        store.finish(StoredTrial(a_scorecard()))
        store.stop()
    with RunStore.open(tmp_path, "old") as store:  # goes on, so has something to lose again
        assert store.names() == ("ridge",)
    with pytest.raises(StoreError, match="unfinished"):
        RunStore.open(tmp_path, "new")
    with RunStore.open(tmp_path, "old") as store:
        store.stop()
    with RunStore.open(tmp_path, "new") as store:
        assert store.names() == ()


def test_a_run_that_has_found_nothing_gives_way(tmp_path: Path) -> None:
    RunStore.open(tmp_path, "old").close()
    with RunStore.open(tmp_path, "new") as store:
        assert store.names() == ()


def test_a_complete_run_gives_way_to_another_and_is_read_by_the_same(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, "old") as store:
        store.finish(StoredTrial(a_scorecard()))
        store.complete()
    with RunStore.open(tmp_path, "old") as store:
        assert store.names() == ("ridge",)
    with RunStore.open(tmp_path, "new") as store:
        assert store.names() == ()


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (
        RunStore.open(tmp_path, "key"),
        pytest.raises(StoreError, match="another run is writing in this folder"),
    ):
        RunStore.open(tmp_path, "key")


def test_a_damaged_log_is_refused(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, "key") as store:
        store.finish(StoredTrial(a_scorecard(), bytes(100_000)))
    content = bytearray((tmp_path / NAME).read_bytes())
    content[100:6000] = bytes(5900)
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"):
        RunStore.open(tmp_path, "key")


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 99])
def test_a_file_that_is_no_log_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / NAME).write_bytes(content)
    with pytest.raises(StoreError, match="is damaged"):
        RunStore.open(tmp_path, "key")
    assert (tmp_path / NAME).read_bytes() == content


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / NAME)
    connection.execute("CREATE TABLE theirs (value TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="not a log that this version can go on with"):
        RunStore.open(tmp_path, "key")


def test_one_flipped_bit_in_a_stored_model_is_noticed(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, "key") as store:
        store.finish(StoredTrial(a_scorecard(), b"A" * 50_000))
    content = (tmp_path / NAME).read_bytes()
    place = content.rindex(b"A" * 100)
    (tmp_path / NAME).write_bytes(content[:place] + b"@" + content[place + 1 :])
    with RunStore.open(tmp_path, "key") as store, pytest.raises(StoreError, match="is damaged"):
        store.finished("ridge")


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StoreError, match="could not be written"):
        RunStore.open(tmp_path / "taken", "key")


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files as Unix does")
def test_a_full_disk_is_said_and_what_was_stored_remains(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FILL_THE_DISK, str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "run.sqlite could not be written" in answer
    with RunStore.open(tmp_path, "key") as store:
        assert len(store.names()) > 10


@pytest.mark.skipif(os.name != "posix", reason="kills with SIGKILL")
def test_a_run_killed_at_any_moment_keeps_all_that_was_acknowledged(tmp_path: Path) -> None:
    for round_ in range(10):
        command = [sys.executable, "-c", APPEND_FOREVER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            time.sleep(0.004 * round_)
            child.send_signal(signal.SIGKILL)
            acknowledged = int([first, *child.stdout.read().split()][-1])
        with RunStore.open(tmp_path, "key") as store:
            numbers = list(map(int, store.names()))
            assert store.finished(str(acknowledged)) is not None
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) >= acknowledged


def test_threads_may_write_at_once(tmp_path: Path) -> None:
    with RunStore.open(tmp_path, "key") as store:
        writers = [
            threading.Thread(
                target=lambda own=own: [
                    store.finish(StoredTrial(Scorecard(f"{own}.{n}", "deep"))) for n in range(20)
                ]
            )
            for own in range(4)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(store.names()) == 80


def test_a_run_is_named_by_its_parts_and_not_by_their_order() -> None:
    one = run_key({"data": "ab", "options": {"seed": 0, "effort": "quick"}})
    assert one == run_key({"options": {"effort": "quick", "seed": 0}, "data": "ab"})
    assert one != run_key({"data": "ab", "options": {"seed": 1, "effort": "quick"}})


def test_only_a_run_that_came_to_its_end_is_complete(tmp_path: Path) -> None:
    for end in (RunStore.stop, RunStore.complete):
        with RunStore.open(tmp_path, "key") as store:
            assert not store.is_complete
            store.finish(StoredTrial(a_scorecard()))
            end(store)
    with RunStore.open(tmp_path, "key") as store:
        assert store.is_complete

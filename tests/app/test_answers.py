import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from fathometer.app.answers import WRITERS, answer, write_answers
from fathometer.errors import ColumnError, OptionError, StoreError
from fathometer.modelfile.load import load


def test_every_row_gets_a_label_and_its_probabilities(model_path: Path, passengers: Path) -> None:
    table = answer(model_path, str(passengers)).table
    assert table.column_names == ["label", "probability_0", "probability_1"]
    assert table.num_rows == 891
    assert table["label"].to_pylist() == load(model_path).predict(str(passengers)).tolist()


def test_columns_that_are_not_asked_for_are_noted(model_path: Path, passengers: Path) -> None:
    notes = answer(model_path, str(passengers)).notes
    assert any("passenger_id" in note for note in notes)


def test_absent_column_is_named(model_path: Path, tmp_path: Path) -> None:
    source = tmp_path / "few.csv"
    source.write_text("age,fare\n1,2\n3,4\n")
    with pytest.raises(ColumnError, match="pclass"):
        answer(model_path, str(source))


@pytest.mark.parametrize("suffix", WRITERS)
def test_answers_are_the_same_in_every_format(suffix: str, tmp_path: Path) -> None:
    table = pa.table({"label": ["a", "b"], "probability_a": pa.array([0.75, 0.25], pa.float32())})
    path = tmp_path / f"answers{suffix}"
    write_answers(table, path)
    assert read_back(path).to_pylist() == table.to_pylist()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def read_back(path: Path) -> pa.Table:
    if path.suffix == ".parquet":
        return parquet.read_table(path)
    if path.suffix == ".json":
        return pa.Table.from_pylist(json.loads(path.read_text()))
    if path.suffix == ".jsonl":
        return pa.Table.from_pylist([json.loads(line) for line in path.read_text().splitlines()])
    delimiter = "\t" if path.suffix == ".tsv" else ","
    return csv.read_csv(path, parse_options=csv.ParseOptions(delimiter=delimiter))


def test_probability_is_written_with_no_more_digits_than_it_has(tmp_path: Path) -> None:
    table = pa.table({"probability_a": pa.array([0.9082175], pa.float32())})
    write_answers(table, tmp_path / "answers.csv")
    assert (tmp_path / "answers.csv").read_text() == "probability_a\n0.9082175\n"


def test_unknown_suffix_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(OptionError) as refused:
        write_answers(pa.table({"value": [1.0]}), tmp_path / "answers.xls")
    assert ".parquet" in refused.value.details


def test_path_through_a_file_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        write_answers(pa.table({"value": [1.0]}), tmp_path / "file" / "answers.csv")


def test_failed_writing_leaves_the_old_answers_alone(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("old")
    with pytest.raises(pa.ArrowInvalid):
        write_answers(pa.table({"value": [[1.0]]}), path)  # CSV has no lists
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1

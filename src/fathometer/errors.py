"""Every error that Fathometer raises on purpose, drawn as a tree.

    FathometerError               a user's mistake or a broken input: exit code 2, no traceback
    ├── SourceError               raw data could not be read
    │   ├── EmptySourceError      ... because there are no rows or no columns
    │   ├── EncodingError         ... because the bytes are not in the encoding asked for
    │   ├── PictureError          ... because a file is no picture that can be read
    │   └── MissingPackageError   ... or a learner not entered: a package is absent
    ├── ColumnError               a column is absent, doubled or unusable
    │   └── KindError             a column cannot be of the kind that was declared
    ├── TaskError                 the question cannot be asked of this table
    ├── SplitError                the rows cannot be split as asked
    ├── OptionError               an option has a value that it cannot have
    │   ├── NetworkError          a network of the user's own is not well formed
    │   └── BackboneError         a checkpoint to take features from cannot be used
    ├── LearnerError              a learner cannot be fitted on this table
    │   ├── NothingToMixError     ... for the best mixture is one contestant alone
    │   └── OutOfTimeError        ... in the time that is left
    ├── ModelFileError            a model file was refused; `.fault` says which check failed
    ├── ParityError               the exported graph does not answer as the model did
    └── StoreError                a result could not be written or a run not resumed

A message says what was asked, what was found and, in `try_next`, what to type next. Anything else
that is raised is a bug of ours and shows its traceback.
"""

from __future__ import annotations

from enum import Enum


class FathometerError(Exception):
    """A mistake that the user can mend; `try_next` is the line to type next, or empty."""

    def __init__(self, message: str, *, details: str = "", try_next: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.try_next = try_next


class SourceError(FathometerError):
    """Raw data could not be read."""


class EmptySourceError(SourceError):
    """The source has no rows or no columns."""


class EncodingError(SourceError):
    """The bytes are not text in the encoding asked for."""


class PictureError(SourceError):
    """A file is no picture that can be read; the message is the reason alone."""


class MissingPackageError(SourceError):
    """An optional package is needed and absent."""


class ColumnError(FathometerError):
    """A column is absent, doubled or unusable."""


class KindError(ColumnError):
    """A column's values do not allow the declared kind."""


class TaskError(FathometerError):
    """The question cannot be asked of this table."""


class SplitError(FathometerError):
    """The rows cannot be split as asked."""


class OptionError(FathometerError):
    """An option has a value that it cannot have."""


class NetworkError(OptionError):
    """A network of the user's own is not well formed, or does not fit the table."""


class BackboneError(OptionError):
    """A checkpoint to take features from cannot be used, or does not fit the table."""


class LearnerError(FathometerError):
    """A learner cannot be fitted on this table."""


class NothingToMixError(LearnerError):
    """The best mixture of all contestants is one of them alone."""


class OutOfTimeError(LearnerError):
    """A learner cannot be fitted in the time that is left."""


class Fault(Enum):
    """What a model file was refused for."""

    NOT_A_MODEL = "not an ONNX model"
    TOO_LARGE = "too large"
    HASH = "the content does not have the hash it states"
    FORMAT = "an unknown format version"
    METADATA = "metadata missing or malformed"
    OPSET = "an operator set we do not read"
    OPERATOR = "an operator that is not on the list"
    EXTERNAL = "external data"
    SHAPE = "inputs or outputs that do not match the columns"
    GRAPH = "a graph that the checker refuses"
    RUNTIME = "the runtime refuses it"


class ModelFileError(FathometerError):
    """A model file was refused; `fault` names the check that failed."""

    def __init__(self, fault: Fault, message: str, *, try_next: str = "") -> None:
        super().__init__(message, details=fault.value, try_next=try_next)
        self.fault = fault


class ParityError(FathometerError):
    """The exported graph does not answer as the model did."""


class StoreError(FathometerError):
    """A result could not be written, or a run could not be resumed."""

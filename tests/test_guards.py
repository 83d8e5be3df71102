"""Rules of the code base that a reader should be able to rely on, kept by reading the source."""

import ast
import functools
import io
import re
import tokenize
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import fathometer

SOURCE = Path(__file__).parents[1] / "src" / "fathometer"
MODULES = sorted(SOURCE.rglob("*.py"))

# A package imports only packages to its left.
PACKAGES = (
    "errors",
    "wording",
    "graph",
    "runtime",
    "table",
    "features",
    "networks",
    "population",
    "learners",
    "modelfile",
    "trial",
    "verdict",
    "explain",
    "report",
    "app",
)
# Where the package is entered from outside; they may name every package.
DOORS = {"__init__", "__main__"}
# Tensors alone: nothing of tables, nor of what is made from them.
KNOW_NO_TABLES = {"networks", "population"}

VAGUE = {
    "manager",
    "helper",
    "helpers",
    "util",
    "utils",
    "common",
    "misc",
    "base",
    "handler",
    "wrapper",
    "data",
    "info",
}

LINES_IN_MODULE = 400
LINES_IN_FUNCTION = 60
METHODS_IN_CLASS = 15

# What may pass a limit, each with its reason: "path::name" → why.
EXEMPT: dict[str, str] = {}

# It comes from a clone: a package of this name on an index may be a stranger's.
FROM_AN_INDEX = re.compile(r"pip install[^\n]*\bfathometer\b")

UNSAFE_MODULES = {"pickle", "joblib", "marshal", "dill", "cloudpickle", "shelve", "jsonpickle"}
UNPICKLING = {"torch.load", "torch.save", "torch.jit.load", "torch.hub.load"}
UNSAFE_CALLS = {"eval", "exec", *UNPICKLING}


def path_of(module: Path) -> str:
    return module.relative_to(SOURCE).as_posix()


def package_of(module: Path) -> str:
    return path_of(module).split("/")[0].removesuffix(".py")


@functools.cache
def nodes_of(module: Path) -> tuple[ast.AST, ...]:
    """All of a file's syntax tree, read once for all guards."""
    return tuple(ast.walk(ast.parse(module.read_text(encoding="utf-8"))))


def imported(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Every module that is imported anywhere, inside functions too."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def dotted(node: ast.AST) -> str:
    """`torch.load` of a name or an attribute, "" of anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


@functools.cache
def lines_of(module: Path) -> set[int]:
    """Numbers of the lines that hold code: no blanks, no comments, no docstrings."""
    source = module.read_text(encoding="utf-8")
    silent = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in (*silent, tokenize.ENDMARKER):
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in nodes_of(module):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def defined(
    nodes: Sequence[ast.AST],
) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def only_found(offenders: Mapping[str, Collection[str]]) -> dict[str, Collection[str]]:
    """The paths at which something was found, each with all that was found."""
    return {path: found for path, found in offenders.items() if found}


def words_of(name: str) -> set[str]:
    """The words of `snake_names` and `CamelNames`, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)}


def test_vague_words_are_found_in_any_spelling() -> None:
    assert words_of("TrainManager") & words_of("train_manager") == {"train", "manager"}
    assert not words_of("metadata") & VAGUE


def test_modules_are_found() -> None:
    assert len(MODULES) > 100  # no guard below says anything of an empty list


def allowed_in(package: str) -> set[str]:
    """What the package may import of the project."""
    if package in DOORS:
        return {*PACKAGES, *DOORS}
    allowed = set(PACKAGES[: PACKAGES.index(package) + 1])
    return allowed - {"table", "features"} if package in KNOW_NO_TABLES else allowed


def test_package_imports_only_packages_above_it() -> None:
    offenders = {}
    for module in MODULES:
        parts = [name.split(".") for name in imported(nodes_of(module))]
        taken = {part[1] for part in parts if part[0] == "fathometer" and len(part) > 1}
        offenders[path_of(module)] = taken - {"__version__"} - allowed_in(package_of(module))
    assert only_found(offenders) == {}


def test_every_package_has_its_place_in_the_order() -> None:
    assert {package_of(module) for module in MODULES} - DOORS <= set(PACKAGES)


def test_names_are_not_vague() -> None:
    offenders = {}
    for module in MODULES:
        names = [module.stem, *(node.name for node in defined(nodes_of(module)))]
        offenders[path_of(module)] = [name for name in names if words_of(name) & VAGUE]
    assert only_found(offenders) == {}


def test_modules_are_short_enough_to_read() -> None:
    lengths = {path_of(module): len(lines_of(module)) for module in MODULES}
    too_long = {path: length for path, length in lengths.items() if length > LINES_IN_MODULE}
    assert {path: length for path, length in too_long.items() if path not in EXEMPT} == {}


def is_long(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, lines: set[int]) -> bool:
    """Whether a class has too many methods, or a function too many lines of code."""
    if isinstance(node, ast.ClassDef):
        methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
        return len(methods) > METHODS_IN_CLASS
    body = range(node.body[0].lineno, (node.end_lineno or 0) + 1)
    return len(lines.intersection(body)) > LINES_IN_FUNCTION


def test_functions_and_classes_are_short_enough_to_read() -> None:
    too_long = [
        f"{path_of(module)}::{node.name}"
        for module in MODULES
        for node in defined(nodes_of(module))
        if is_long(node, lines_of(module))
    ]
    assert [name for name in too_long if name not in EXEMPT] == []


def test_exemptions_name_what_exists() -> None:
    known = {
        f"{path_of(module)}{name}"
        for module in MODULES
        for name in ("", *(f"::{node.name}" for node in defined(nodes_of(module))))
    }
    assert set(EXEMPT) <= known


def test_nothing_that_can_execute_stored_code_is_imported_or_called() -> None:
    offenders = {}
    for module in MODULES:
        nodes = nodes_of(module)
        taken = {name for name in imported(nodes) if name.split(".")[0] in UNSAFE_MODULES}
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        taken |= {dotted(call.func) for call in calls} & UNSAFE_CALLS
        words = [word for call in calls for word in call.keywords if word.arg == "allow_pickle"]
        unsafe = [word for word in words if getattr(word.value, "value", None) is not False]
        offenders[path_of(module)] = taken | {ast.unparse(word) for word in unsafe}
    assert only_found(offenders) == {}


def test_nobody_is_told_to_execute_stored_code() -> None:
    loading = {f"{name}.load" for name in UNSAFE_MODULES} | UNPICKLING
    offenders = {}
    for module in MODULES:
        texts = [node.value for node in nodes_of(module) if isinstance(node, ast.Constant)]
        said = "\n".join(text for text in texts if isinstance(text, str))
        offenders[path_of(module)] = [name for name in loading if f"{name}(" in said]
    assert only_found(offenders) == {}


def test_tests_and_benchmarks_neither_read_nor_write_pickles() -> None:
    root = SOURCE.parents[1]
    found = {}
    for module in [*(root / "tests").rglob("*.py"), *(root / "benchmarks").rglob("*.py")]:
        nodes = nodes_of(module)
        calls = {dotted(node.func) for node in nodes if isinstance(node, ast.Call)}
        taken = {name for name in imported(nodes) if name.split(".")[0] in UNSAFE_MODULES}
        found[module.relative_to(root).as_posix()] = taken | (calls & UNPICKLING)
    assert len(found) > 100
    assert only_found(found) == {}


def test_nothing_is_imported_by_star() -> None:
    offenders = {
        path_of(module): [name for name in imported(nodes_of(module)) if name.endswith(".*")]
        for module in MODULES
    }
    assert only_found(offenders) == {}


def test_public_names_are_few_and_all_there() -> None:
    assert len(fathometer.__all__) <= 20
    assert [name for name in fathometer.__all__ if getattr(fathometer, name, None) is None] == []


def test_public_names_are_these() -> None:
    assert fathometer.__all__ == [
        "Comparison",
        "FathometerError",
        "Kind",
        "ModelFile",
        "Scorecard",
        "Split",
        "Table",
        "Task",
        "Verdict",
        "__version__",
        "compare",
        "load",
        "read",
    ]


def test_no_advice_fetches_the_project_from_an_index() -> None:
    offenders = {
        path_of(module): FROM_AN_INDEX.findall(module.read_text(encoding="utf-8"))
        for module in MODULES
    }
    assert only_found(offenders) == {}

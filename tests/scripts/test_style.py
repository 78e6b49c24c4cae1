"""Each rule that `scripts.style` measures by, on sources made up for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from scripts.measures import density, imports, naming
from scripts.measures.source import Module, Place, Ratio, read_tree
from scripts.style import ROOT, main, measure

# Blank lines and docstrings between code, comments of every sort, and a string like a comment.
LAYOUT = '''
"""A module.

Two lines of it."""

# A reason
# in two lines.
import os  # and one behind code
import re  # noqa: F401
import io  # type: ignore[x]  # the reason for it
# ------------
TEXT = """
# no comment
"""


def run():
    """Run."""
    return TEXT
'''


def module_of(source: str, name: str = "package.module") -> Module:
    """Return a module with the source, indented as the test is."""
    path = Path(*name.split(".")).with_suffix(".py")
    return Module(path, name, dedent(source))


def package_of(**sources: str) -> list[Module]:
    """Return the modules of one package, `init` being the package itself."""
    modules = [
        module_of(source, f"package.{name}") for name, source in sources.items() if name != "init"
    ]
    init = Module(Path("package/__init__.py"), "package", dedent(sources.get("init", "")))
    return [init, *modules]


def names_of(places: list[Place]) -> list[str]:
    return [place.name for place in places]


def participles_in(source: str) -> list[str]:
    return names_of(naming.list_participles([module_of(source)]))


def placeholders_in(source: str) -> list[str]:
    return names_of(naming.list_placeholders([module_of(source)]))


def decisions_in(body: str) -> int:
    """Return the decisions in a function with the body."""
    lines = [f"    {line}" for line in dedent(body).splitlines()]
    return density.measure_decisions([module_of("\n".join(["def run():", *lines]))]).part


def cycles_in(modules: list[Module]) -> tuple[list[list[str]], list[list[str]]]:
    """Return the names in the runtime cycles and in the type-only cycles."""
    runtime, type_only = imports.find_cycles(modules)
    return [sorted(row.modules) for row in runtime], [sorted(row.modules) for row in type_only]


@pytest.mark.parametrize(
    "name", ["told", "found", "named_targets", "_listed", "given", "counted", "unseen", "rewritten"]
)
def test_a_function_that_begins_with_a_participle_counts(name: str) -> None:
    assert participles_in(f"def {name}(): ...") == [name]
    assert participles_in(f"class Page:\n    async def {name}(self) -> str: ...") == [name]


@pytest.mark.parametrize(
    "name",
    ["read_page", "set_cookie", "need", "feed_rows", "embed", "proceed", "reset", "list_told"],
)
def test_a_verb_is_no_participle(name: str) -> None:
    assert participles_in(f"def {name}(): ...") == []


@pytest.mark.parametrize("result", ["bool", "'bool'", "TypeGuard[str]", "typing.TypeIs[str]"])
def test_a_participle_may_name_a_boolean_function(result: str) -> None:
    assert participles_in(f"def allowed(x) -> {result}: ...") == []


def test_other_results_make_no_boolean() -> None:
    assert participles_in("def allowed(x) -> list[bool]: ...") == ["allowed"]
    assert participles_in("def allowed(x) -> bool | None: ...") == ["allowed"]


def test_dunder_methods_and_tests_are_no_functions_to_name() -> None:
    source = """
        def __enter__(): ...
        def test_told(): ...
        def outer():
            def inner(): ...
    """
    functions = naming.list_functions(module_of(source))
    assert [node.name for node in functions] == ["outer", "inner"]


@pytest.mark.parametrize(
    "source",
    [
        "each = 1",
        "each: int = 1",
        "for each in rows: pass",
        "rows = [1 for each in rows]",
        "with stream as each: pass",
        "first, (each, *last) = rows",
        "def run(each): ...",
        "def run(*, each=1): ...",
        "run = lambda each: 1",
        "if (each := 1): pass",
        "try: pass\nexcept OSError as each: pass",
        "match rows:\n    case [each]: pass",
        "_each = 1",
        "EACH = 1",
    ],
)
def test_a_placeholder_counts_wherever_it_is_bound(source: str) -> None:
    names = placeholders_in(source)
    assert [name.strip("_").lower() for name in names] == ["each"]


def test_a_placeholder_counts_only_as_the_whole_name() -> None:
    assert placeholders_in("each_row = known_ids = foundation = reach = 1") == []


def test_reading_a_name_binds_nothing() -> None:
    assert placeholders_in("print(found, found.kept, page.given)\npage.known = 1") == []


def test_a_participle_may_name_a_boolean() -> None:
    source = """
        found = False
        known = page in pages
        seen = not page
        def run(given: bool, kept: bool = True): ...
        taken: bool = check()
        wanted = check()
    """
    assert placeholders_in(source) == ["wanted"]


def test_nobody_chose_the_names_self_and_cls() -> None:
    source = "class Page:\n    def run(self, path): size = 1\n    def make(cls): ..."
    bindings = naming.list_bindings(module_of(source))
    assert [binding.name for binding in bindings] == ["path", "size"]


@pytest.mark.parametrize(
    ("body", "decisions"),
    [
        ("if a:\n    pass\nelif b:\n    pass\nelse:\n    pass", 2),
        ("for a in b:\n    pass\nelse:\n    pass", 1),
        ("async def inner():\n    async for a in b:\n        pass", 1),
        ("while a:\n    pass", 1),
        ("with a:\n    pass", 0),
        ("try:\n    pass\nexcept A:\n    pass\nexcept B:\n    pass\nfinally:\n    pass", 2),
        ("return a and b or c", 2),
        ("return a and b and c", 2),
        ("return a if b else c", 1),
        ("return [a for b in c if d if e for f in g]", 4),
        ("return {a: b for a in c}", 1),
        ("match a:\n    case 1:\n        pass\n    case _:\n        pass", 2),
        ("return lambda: a or b", 1),
        ("return not a", 0),
    ],
)
def test_what_counts_as_a_decision(body: str, decisions: int) -> None:
    assert decisions_in(body) == decisions


def test_only_lines_in_function_bodies_carry_decisions() -> None:
    source = '''
        RATES = [rate for rate in range(3) if rate]

        class Page:
            size = 1 if RATES else 2

            @property
            def run(
                self,
                path,
            ):
                """Say what.

                In three lines."""
                # A reason.
                if path:

                    def inner(row): return row or path
                    return inner
                return 1
    '''
    # Four lines of body: two returns, the `if`, and a line that a signature shares with its body.
    assert density.measure_decisions([module_of(source)]) == Ratio(2, 4, per=10)


def test_dense_functions_are_listed_the_worst_first() -> None:
    source = """
        def sparse(a):
            size = 1
            width = 2
            height = 3
            return a if size else width
        def worst(a): return a and a and a
        def dense(a): return a and a
    """
    names = names_of(density.list_dense_functions([module_of(source)]))
    assert names == ["worst 20.0 (2/1)", "dense 10.0 (1/1)"]


def test_a_line_is_long_from_101_characters_on() -> None:
    source = f"size = {'1' * 93}\nsize = {'1' * 94}\n"
    places = density.list_long_lines([module_of(source)])
    assert [str(place) for place in places] == ["package/module.py:2 101 characters"]


def test_code_lines_are_neither_blank_nor_comment_nor_docstring() -> None:
    module = module_of(LAYOUT)
    lines = [module.lines[number - 1].split("  #")[0] for number in sorted(module.code_lines)]
    imports_and_text = ["import os", "import re", "import io", 'TEXT = """', "# no comment", '"""']
    assert lines == [*imports_and_text, "def run():", "    return TEXT"]


def test_comments_are_what_speaks_to_readers() -> None:
    # Two lines above code, one behind it, and the reason after a directive.
    assert density.measure_comments([module_of(LAYOUT)]) == Ratio(4, 8)


def test_modules_without_comments_are_listed_the_worst_first() -> None:
    loud = module_of("# why\nsize = 1\n", "package.loud")
    small = module_of("size = 1\n", "package.small")
    large = module_of("size = 1\n" * 50, "package.large")
    places = density.list_silent_modules([loud, small, large])
    assert [place.path.stem for place in places] == ["large", "small"]


def test_an_init_is_no_module_of_its_folder() -> None:
    counts = density.count_modules(package_of(front="", back=""))
    assert dict(counts) == {Path("package"): 2}


def test_statements_and_nodes_are_those_of_the_syntax_tree() -> None:
    figures = measure([module_of("def run():\n    size = 1\n    return size\n")])
    # Module, function, arguments; assignment, name, its context, constant; return, name, context.
    assert (figures.statements, figures.nodes) == (3, 10)


def test_imports_that_run_at_load_make_a_runtime_cycle() -> None:
    modules = package_of(
        front="from package.middle import run",
        middle="import package.back",
        back="from . import front",
        apart="from . import front",
    )
    ring = ["package.back", "package.front", "package.middle"]
    assert cycles_in(modules) == ([ring], [])


@pytest.mark.parametrize(
    "source",
    [
        "if TYPE_CHECKING:\n    from .front import Row",
        "if typing.TYPE_CHECKING:\n    from .front import Row",
        "if not TYPE_CHECKING:\n    pass\nelse:\n    from .front import Row",
        "def run():\n    from package import front",
        "class Page:\n    async def run(self):\n        import package.front",
    ],
)
def test_imports_that_wait_make_a_type_only_cycle(source: str) -> None:
    modules = package_of(front="from .back import run", back=source)
    assert cycles_in(modules) == ([], [["package.back", "package.front"]])


@pytest.mark.parametrize(
    "source",
    [
        "if not TYPE_CHECKING:\n    from .front import Row",
        "if TYPE_CHECKING:\n    pass\nelse:\n    from .front import Row",
        "try:\n    from .front import Row\nexcept ImportError:\n    pass",
        "if sys.version_info > (3, 11):\n    from .front import Row",
        "class Page:\n    from .front import Row",
    ],
)
def test_what_runs_at_load_is_not_deferred(source: str) -> None:
    modules = package_of(front="from .back import run", back=source)
    assert cycles_in(modules) == ([["package.back", "package.front"]], [])


def test_a_name_imported_from_a_package_is_its_submodule_where_there_is_one() -> None:
    through_submodule = package_of(
        init="from .front import run", front="from . import back", back=""
    )
    assert cycles_in(through_submodule) == ([], [])
    through_package = package_of(init="from .front import run", front="from . import run")
    assert cycles_in(through_package) == ([["package", "package.front"]], [])


def test_a_cycle_is_listed_by_its_imports() -> None:
    modules = package_of(
        front="from .back import run, stop", back="def run():\n    from . import front"
    )
    assert [str(place) for place in imports.list_cycles(modules)] == [
        "package/front.py:1 package.front -> package.back (type-only cycle 1, 2 modules, at load)",
        "package/back.py:2 package.back -> package.front (type-only cycle 1, 2 modules, deferred)",
    ]


def test_modules_are_named_from_the_folder_that_python_searches(tmp_path: Path) -> None:
    inner = tmp_path / "package" / "inner"
    inner.mkdir(parents=True)
    for file in ("package/__init__.py", "package/inner/__init__.py", "package/inner/front.py"):
        (tmp_path / file).touch()
    assert [module.name for module in read_tree(inner)] == ["package.inner", "package.inner.front"]
    assert [module.name for module in read_tree(inner / "front.py")] == ["package.inner.front"]


def test_a_folder_without_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no Python file"):
        read_tree(tmp_path)


def test_nothing_to_count_in_is_a_rate_of_nought() -> None:
    assert Ratio(0, 0).value == 0.0


def test_the_table_has_a_column_for_every_tree(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("front.py").write_text("def told(each): ...\n")
    Path("back.py").write_text("")
    main(["front.py", "back.py"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["front.py", "back.py"]
    assert lines[1].split()[-4:] == ["100.0", "(1/1)", "0.0", "(0/0)"]


def test_the_script_lists_places_when_run_by_its_path_from_anywhere(tmp_path: Path) -> None:
    (tmp_path / "front.py").write_text("size = 1\neach = 2\n")
    command = [sys.executable, str(ROOT / "scripts" / "style.py"), "--list", "placeholders"]
    done = subprocess.run(
        [*command, "front.py"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "front.py:2 each\n"

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def _write_configuration() -> object:
    spec = importlib.util.spec_from_file_location("write_configuration", ROOT / "docs" / "write_configuration.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_configuration_page_is_the_code() -> None:
    module = _write_configuration()
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "run: python docs/write_configuration.py"


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_each_fault_names_tests_that_are_there() -> None:
    table = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8").partition("| fault |")[2]
    rows = [line.split("|")[3] for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows
    for row in rows:
        folder = ROOT / "tests"
        for named in re.findall(r"`([^`]+)`", row):
            name, _, test = named.partition("::") if named.endswith(".py") or "::" in named else ("", "", named)
            if name:
                below = (
                    name
                    if name.startswith("studies/") or not (ROOT / "tests/tuner" / name).exists()
                    else f"tuner/{name}"
                )
                path = ROOT / "tests" / below if "/" in name else folder / name
                folder = path.parent
                assert path.exists(), f"docs/failures.md names {name}"
                source = path.read_text(encoding="utf-8")
            assert not test or f"def {test}(" in source, f"docs/failures.md names {test}"

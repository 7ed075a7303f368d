"""The pages' operations hold against the schema, and the message tables against each other."""

import re
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

ROOT = Path(__file__).resolve().parents[3]
OPERATIONS = ROOT / "web" / "operations"
MESSAGES = ROOT / "web" / "scripts" / "messages"
IMPORT = re.compile(r'^#import "\./([\w/]+\.graphql)"\n', re.MULTILINE)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """The served schema, as its committed snapshot has it."""
    return build_schema((ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8"))


def document(path: Path) -> str:
    """An operation with the fragments it imports, put together as scripts/graphql/documents.js does."""
    text = path.read_text(encoding="utf-8")
    fragments = [(OPERATIONS / name).read_text(encoding="utf-8") for name in IMPORT.findall(text)]
    return "\n\n".join([IMPORT.sub("", text).strip(), *fragments])


@pytest.mark.parametrize("path", sorted(OPERATIONS.glob("*.graphql")), ids=lambda path: path.stem)
def test_operation_is_valid_when_held_against_the_served_schema(path: Path, schema: GraphQLSchema) -> None:
    assert validate(schema, parse(document(path))) == []


@pytest.mark.parametrize("path", sorted(OPERATIONS.glob("*.graphql")), ids=lambda path: path.stem)
def test_operation_is_named_as_its_file_when_the_pages_ask_by_name(path: Path) -> None:
    assert f" {path.stem}" in document(path).splitlines()[0]


def test_every_operation_asked_for_exists_when_the_scripts_are_read() -> None:
    asked = re.compile(r'(?:request|requestSurely|_run)\("(\w+)"|name: "([A-Z]\w+)"')
    scripts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "web/scripts").rglob("*.js"))
    names = {first or second for first, second in asked.findall(scripts)}
    assert len(names) >= 15
    assert {name for name in names if not (OPERATIONS / f"{name}.graphql").exists()} == set()


def keys(language: str) -> set[str]:
    text = (MESSAGES / f"{language}.js").read_text(encoding="utf-8")
    return set(re.findall(r'^  "?([\w.]+)"?: "', text, re.MULTILINE))


def test_korean_has_every_message_when_english_has_it() -> None:
    missing = {key for key in keys("en") - keys("ko") if not key.endswith(".one")}
    assert len(keys("en")) > 150
    assert missing == set()


def imported(module: Path) -> set[Path]:
    """A module and everything that it imports, however far down."""
    found, waiting = set[Path](), [module]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            names = re.findall(r'^import .*"(\..+\.js)";$', path.read_text("utf-8"), re.MULTILINE)
            waiting += [(path.parent / name).resolve() for name in names]
    return found


@pytest.mark.parametrize("page", ["event", "index"])
def test_every_module_is_fetched_at_once_when_the_page_opens(page: str) -> None:
    html = (ROOT / "web" / f"{page}.html").read_text(encoding="utf-8")
    entry = re.findall(r'<script type="module" src="/static/(.+?)">', html)[0]
    preloaded = set(re.findall(r'<link rel="modulepreload" href="/static/(.+?)">', html))
    wanted = {str(path.relative_to(ROOT / "web")) for path in imported(ROOT / "web" / entry)}
    assert preloaded == wanted

"""The pages' table of currencies is the product's."""

from tools.web_currencies import TARGET, table


def test_the_pages_have_the_products_table_of_currencies() -> None:
    assert TARGET.read_text(encoding="utf-8") == table(), "python -m tools.web_currencies writes it"

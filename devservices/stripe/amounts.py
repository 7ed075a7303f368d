"""Amounts and currencies as Stripe accepts them (docs.stripe.com/currencies)."""

from devservices.stripe.books import Books
from devservices.stripe.documents import Document
from devservices.stripe.faults import alter
from devservices.stripe.forms import Params
from devservices.stripe.refusals import invalid_parameter

MOST = 99_999_999
# The least that a charge may be, in minor units; a currency not listed has no published least.
LEAST = {
    "usd": 50, "aed": 200, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250,
    "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200,
    "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
# Amounts of these must be whole multiples: three decimals are charged by tens, and kronur and
# Ugandan shillings are sent as if they had cents.
STEPS = {"bhd": 10, "jod": 10, "kwd": 10, "omr": 10, "tnd": 10, "isk": 100, "ugx": 100}


def currency(params: Params) -> str:
    code = params.required_text("currency").lower()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise invalid_parameter("currency", f"Invalid currency: {code[:10]}.")
    return code


def amount(params: Params, code: str) -> int:
    wanted = params.integer("amount")
    if wanted > MOST:
        sentence = f"Amount must be no more than {shown(MOST, code)}"
        raise invalid_parameter("amount", sentence, "amount_too_large")
    if wanted < LEAST.get(code, 1):
        sentence = f"Amount must be at least {shown(LEAST[code], code)}"
        raise invalid_parameter("amount", sentence, "amount_too_small")
    if wanted % STEPS.get(code, 1):
        sentence = f"Invalid amount: {code.upper()} is charged in multiples of {STEPS[code]}."
        raise invalid_parameter("amount", sentence, "parameter_invalid_integer")
    return wanted


def shown(minor: int, code: str) -> str:
    """For a sentence: 0.50 usd, 500 krw."""
    return f"{minor} {code}" if code in ZERO_DECIMAL else f"{minor // 100}.{minor % 100:02} {code}"


def alter_if_wanted(books: Books, intent: Document, facts: dict[str, str | None]) -> bool:
    """Lets a waiting `intent.alter` fault rewrite the intent."""
    fault = books.faults.take("intent.alter", facts)
    if fault is None:
        return False
    alter(intent, fault.params)
    return True

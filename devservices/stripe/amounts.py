"""Amounts and currencies as Stripe accepts them (docs.stripe.com/currencies)."""

from devservices.stripe.documents import Document
from devservices.stripe.errors import invalid_parameter
from devservices.stripe.forms import Params
from devservices.stripe.injected_faults import alter
from devservices.stripe.ledger import Ledger

# The most digits of an amount.
USUAL_DIGITS = 8
DIGITS = {"idr": 12, "lbp": 11, "cop": 10, "huf": 10, "jpy": 10, "inr": 9}
# The minimum charge in minor units; Stripe publishes none for other currencies.
MINIMUM = {
    "usd": 50, "aed": 200, "ars": 50, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "cop": 50,
    "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "idr": 50, "ils": 50, "inr": 50,
    "jpy": 50, "krw": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "php": 50, "pln": 200, "ron": 200,
    "rub": 50, "sek": 300, "sgd": 50, "thb": 1000, "zar": 50,
}  # fmt: skip
ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
# Amounts of these currencies must be multiples: those with three decimals of 10, and those that
# Stripe treats as if they had cents of 100.
STEPS = {"bhd": 10, "jod": 10, "kwd": 10, "omr": 10, "tnd": 10, "isk": 100, "ugx": 100}


def currency(params: Params) -> str:
    code = params.required_text("currency").lower()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise invalid_parameter("currency", f"Invalid currency: {code[:10]}.")
    return code


def amount(params: Params, code: str) -> int:
    wanted = params.integer("amount")
    maximum = 10 ** DIGITS.get(code, USUAL_DIGITS) - 1
    if wanted > maximum:
        sentence = f"Amount must be no more than {shown(maximum, code)}"
        raise invalid_parameter("amount", sentence, "amount_too_large")
    if wanted < MINIMUM.get(code, 1):
        sentence = f"Amount must be at least {shown(MINIMUM[code], code)}"
        raise invalid_parameter("amount", sentence, "amount_too_small")
    if wanted % STEPS.get(code, 1):
        sentence = f"Invalid amount: {code.upper()} is charged in multiples of {STEPS[code]}."
        raise invalid_parameter("amount", sentence, "parameter_invalid_integer")
    return wanted


def shown(minor: int, code: str) -> str:
    """An amount as text: 0.50 usd, 500 krw."""
    return f"{minor} {code}" if code in ZERO_DECIMAL else f"{minor // 100}.{minor % 100:02} {code}"


def apply_alteration(ledger: Ledger, intent: Document, facts: dict[str, str | None]) -> bool:
    """Applies a pending `intent.alter` fault to the intent; whether there was one."""
    fault = ledger.faults.take("intent.alter", facts)
    if fault is None:
        return False
    alter(intent, fault.params)
    return True

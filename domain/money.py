"""Money in minor units with its ISO 4217 currency."""

from dataclasses import dataclass

from domain.errors import InvalidInput

# ISO 4217 (2024): the currencies that a card can be charged in.
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN
    BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS
    GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW
    KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
    NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD
    SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES
    VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL
    """.split()
)
MOST_MINOR = 99_999_999  # Stripe's maximum for one charge


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents, won) of one currency."""

    amount: int
    currency: str

    @classmethod
    def checked(cls, amount: int, currency: str, path: str) -> "Money":
        """Check an amount that comes from outside.

        Raises:
            InvalidInput: an unknown currency, or an amount outside 0..99,999,999 minor units.
        """
        if currency not in CURRENCIES:
            raise InvalidInput(f"{path}.currency: {currency[:8]!r} is not an ISO 4217 currency code.")
        if not 0 <= amount <= MOST_MINOR:
            raise InvalidInput(f"{path}.amount: must be between 0 and {MOST_MINOR} minor units.")
        return cls(amount, currency)

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} do not add up")
        return Money(self.amount + other.amount, self.currency)

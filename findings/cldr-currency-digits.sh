#!/usr/bin/env bash
# The decimals that Babel and Node's Intl give for a currency are CLDR's, for display: none for HUF and IQD, where ISO 4217 has two and
# three. Payment APIs count in ISO's minor units, so 1499000 HUF is 14,990 Ft and not 1,499,000 Ft. Nothing in either API says so.
# Seen with babel 2.19.0 and iso4217 1.16.20260101: AFN ALL COP HUF IDR IRR IQD KPW LAK LBP MGA MMK SOS SYP YER have fewer decimals than
# in ISO's list; Intl of Node 20.20.2 has the same and PKR.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check babel==2.19.0 iso4217==1.16.20260101
"$folder/venv/bin/python" - >"$folder/babel" <<'PYTHON'
from babel.numbers import get_currency_precision
from iso4217 import Currency

for each in Currency:
    if each.exponent is not None and get_currency_precision(each.code) != each.exponent:
        print(each.code, each.exponent, get_currency_precision(each.code))
PYTHON
cat "$folder/babel"
node --version
"$folder/venv/bin/python" -c 'from iso4217 import Currency
for each in Currency:
    if each.exponent is not None: print(each.code, each.exponent)' >"$folder/iso"
node - "$folder/iso" >"$folder/intl" <<'NODE'
const rows = require("fs").readFileSync(process.argv[2], "utf8").trim().split("\n").map((line) => line.split(" "));
for (const [currency, digits] of rows) {
  const shown = new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  if (shown !== Number(digits)) console.log(currency, digits, shown);
}
NODE
cat "$folder/intl"
grep -q '^HUF 2 0$' "$folder/babel" && grep -q '^IQD 3 0$' "$folder/babel"
test "$(wc -l <"$folder/babel")" = 15
grep -q '^HUF 2 0$' "$folder/intl" && grep -q '^IQD 3 0$' "$folder/intl"

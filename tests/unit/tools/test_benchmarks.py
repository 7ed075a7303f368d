"""The command line of `make bench`."""

import pytest

from benchmarks.__main__ import BENCHMARKS, parse


def test_options_go_to_the_benchmark_that_is_named() -> None:
    assert parse(["abuse", "--rounds", "9", "--only", "cost"]) == (
        ["abuse"],
        ["--rounds", "9", "--only", "cost"],
    )


def test_all_run_as_usual_when_none_is_named() -> None:
    assert parse([]) == (list(BENCHMARKS), [])


def test_several_run_as_usual_when_several_are_named() -> None:
    assert parse(["sale", "buyer"]) == (["sale", "buyer"], [])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--rounds", "9"], "unrecognized arguments: --rounds"),
        (["--", "abuse"], "name it before them"),
        (["sale", "abuse", "--rounds", "9"], "name it alone"),
        (["abusive", "--rounds", "9"], "there is no benchmark 'abusive'"),
    ],
)
def test_nothing_runs_when_options_or_names_fit_no_benchmark(
    words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words)

    assert ended.value.code == 2
    assert reason in capsys.readouterr().err

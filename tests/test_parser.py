"""The parser of the subcommands: help that fits a screen, and errors of one line with a remedy."""

from __future__ import annotations

import re

import pytest

from minilift.cli.main import COMMANDS, main
from minilift.cli.parser import WIDTH, Parser, number
from minilift.errors import InputError

Capture = pytest.CaptureFixture[str]


def parser() -> Parser:
    made = Parser(
        "minilift cook", "Cook a meal. " * 20, "examples:\n  minilift cook soup     " + "x" * 90, "more"
    )
    made.add_argument("meal", metavar="MEAL", choices=("soup", "salad"), help="what to cook")
    made.add_argument("--guests", type=number(int, 1, 20), default=2, help="how many [2]")
    made.add_argument("--salt", type=number(float, 0, open_low=True), further=True, help="in grams")
    made.add_argument("--oven", group="kitchen", help="which oven")
    made.add_argument("--grill", group="kitchen", further=True, action="store_true", help="use the grill")
    made.add_argument("--years", type=int, nargs=2, help="vintages")
    return made


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["soup", "--gusts", "3"], "--gusts: no such option; did you mean --guests?"),
        (["--gusts=3"], "--gusts: no such option; did you mean --guests?"),
        (["soup", "--guest", "3"], "--guest: no such option; did you mean --guests?"),  # never abbreviated
        (["soup", "--zzz"], "--zzz: no such option; see minilift cook --help"),
        (["soup", "--guests", "two"], "--guests two: not a whole number; give one"),
        (["soup", "--guests", "2.5"], "--guests 2.5: not a whole number; give one"),
        (["soup", "--guests", "0"], "--guests 0: must be at least 1 and at most 20"),
        (["soup", "--salt", "0"], "--salt 0: must be more than 0"),
        (["soup", "--salt", "nan"], "--salt nan: must be a finite number, and more than 0"),
        (["soup", "--salt", "inf"], "--salt inf: must be a finite number, and more than 0"),
        (["soup", "--years", "1990", "old"], "--years old: not a whole number; give one"),
        (["soup", "--years", "1990"], "--years: expected 2 arguments; see minilift cook --help"),
        (["soup", "--guests"], "--guests: expected one argument; see minilift cook --help"),
        (["soop"], "MEAL soop: unknown; did you mean soup?"),
        (["quark"], "MEAL quark: unknown; use one of soup, salad"),
        (["soup", "salad"], "'salad': not expected here; see minilift cook --help"),
        (["soup", "-x"], "'-x': not expected here; see minilift cook --help"),
        ([], "the following arguments are required: MEAL; see minilift cook --help"),
    ],
)
def test_what_cannot_be_used_is_one_line_with_a_remedy(words: list[str], told: str) -> None:
    with pytest.raises(InputError) as problem:
        parser().parse_args(words)
    assert str(problem.value) == told


def test_what_can_be_used_is_as_argparse_has_it() -> None:
    found = parser().parse_args(["soup", "--guests=3", "--salt", "1e-3", "--grill"])
    assert vars(found) == {
        "meal": "soup", "guests": 3, "salt": 0.001, "oven": None, "grill": True, "years": None,
    }  # fmt: skip
    found = parser().parse_args(["--oven", "--", "soup"][1:])  # behind -- come values
    assert found.meal == "soup"


def shown(capsys: Capture, *words: str) -> str:
    with pytest.raises(SystemExit) as stop:
        parser().parse_args(words)
    assert stop.value.code == 0
    return capsys.readouterr().out


def test_further_arguments_are_left_to_help_all(capsys: Capture) -> None:
    short, everything = shown(capsys, "--help"), shown(capsys, "--help-all")
    assert short == shown(capsys, "-h")
    assert short.startswith("usage: minilift cook MEAL [options]\n")
    assert [word in short for word in ("--guests", "--oven", "--salt", "--grill", "more\n")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert re.search("--help-all +show all options", short)
    for word in ("--guests", "--oven", "--salt", "--grill", "more\n", "kitchen:"):
        assert word in everything
    assert "--help-all" not in everything


def test_help_has_80_columns_and_leaves_examples_alone(capsys: Capture) -> None:
    lines = shown(capsys, "--help").splitlines()
    assert [len(line) > WIDTH for line in lines].count(True) == 1
    assert "  minilift cook soup     " + "x" * 90 in lines
    assert lines[2].startswith("Cook a meal. Cook a meal. ")


def test_a_heading_whose_arguments_are_all_further_is_not_shown(capsys: Capture) -> None:
    made = Parser("minilift cook")
    made.add_argument("--grill", group="kitchen", further=True, help="use the grill")
    assert "kitchen" not in made.format_help()
    made.show_further()
    assert "kitchen:" in made.format_help()
    made.add_argument("pots", nargs="+")
    made.add_argument("lids", nargs="*", metavar="LID")
    assert made.format_usage() == "usage: minilift cook pots ... [LID ...] [options]\n"
    assert "--help-all" not in Parser("minilift cook").format_help()  # where there is no more


def test_commands_of_a_command() -> None:
    made = Parser("minilift cook")
    soup = made.add_subparsers().add_parser("soup", examples="example:\n  a")
    assert isinstance(soup, Parser)
    soup.add_argument("--salt", type=float)
    assert made.parse_args(["soup", "--salt", "1"]).salt == 1
    for words, told in (
        (["sope"], "'sope': no such command of minilift cook; did you mean soup?"),
        (["soup", "--slat", "1"], "--slat: no such option; did you mean --salt?"),
        (["soup", "--salt", "much"], "--salt much: not a number; give one"),
        (["soup", "x"], "'x': not expected here; see minilift cook soup --help"),
        ([], "the following arguments are required: COMMAND; see minilift cook --help"),
    ):
        with pytest.raises(InputError) as problem:
            made.parse_args(words)
        assert str(problem.value) == told


# ---- the command itself ----------------------------------------------------------------------------


def test_help_names_every_command(capsys: Capture) -> None:
    assert main(["--help"]) == 0
    told = capsys.readouterr().out
    for words in (["-h"], [], ["help"]):
        assert main(words) == 0
        assert capsys.readouterr().out == told
    for name, what in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(what)}$", told, re.M)
    assert max(map(len, told.splitlines())) <= WIDTH


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"info"}))
def test_help_of_a_command_in_two_ways(name: str, capsys: Capture) -> None:
    assert main([name, "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: minilift {name} ")
    assert main(["help", name]) == 0
    assert capsys.readouterr().out == told


def test_a_mistyped_command_gets_the_nearest_one(capsys: Capture) -> None:
    for word, remedy in (
        ("trian", "did you mean train?"),
        ("evla", "did you mean eval?"),
        ("--versoin", "did you mean --version?"),
        ("zzz", "use one of "),
    ):
        assert main([word]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith(f"minilift: error: {word!r}: no such command; {remedy}")
        assert told.err.count("\n") == 1

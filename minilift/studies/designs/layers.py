"""What the layers of a residual block are for: blocks with one of them missing, moved or doubled."""

from __future__ import annotations

from minilift.errors import ArgumentError, counted
from minilift.lift.recipe import DEFAULT
from minilift.studies.designs.block import USUAL, Block
from minilift.studies.designs.report import SOUND, SOUND_WORDS
from minilift.studies.designs.variants import Group, Variant
from minilift.studies.designs.words import Words, settings_of

BASE = {**SOUND_WORDS, "epochs": "5", "hidden": "512"}  # so that all of them end within half an hour
VARIED = ("lr", "dropout", "poses", "blocks")  # by this study itself


def twice(half: str) -> Block:
    return Block(f"{half} {half}")


NO_NORM = twice("linear relu dropout")
# Label, block, other settings; the first row of the table is the usual block
CHANGES: tuple[tuple[str, Block | None, Words], ...] = (
    ("dropout in front of ReLU", twice("linear norm dropout relu"), {}),
    ("batch norm behind ReLU", twice("linear relu norm dropout"), {}),
    ("batch norm behind dropout", twice("linear relu dropout norm"), {}),
    ("dropout 0.5", None, {"dropout": "0.5"}),
    ("dropout 0.5, batch norm behind it", twice("linear relu dropout norm"), {"dropout": "0.5"}),
    ("without batch norm", NO_NORM, {}),
    ("without dropout", None, {"dropout": "0"}),
    ("without ReLU", twice("linear norm dropout"), {}),
    ("without the shortcut", Block(f"{USUAL} {USUAL}", shortcut=False), {}),
    ("layers once in a block, 2 blocks", Block(USUAL), {}),
    ("layers once in a block, 4 blocks", Block(USUAL), {"blocks": "4"}),
    ("layers four times, 1 block", Block(" ".join([USUAL] * 4)), {"blocks": "1"}),
)
RATES = ("0.0002", "0.002", "0.02", "0.2")
DROPOUTS = ("0", "0.1", "0.5")
# Passes over the data by the number of poses: the same number of steps, all in whole batches
POSES = {"2048": 25, "10240": 5, "51200": 1}


def layers(words: Words, epochs: Words) -> list[Group]:
    """The blocks; batch norm and the learning rate; dropout and the number of poses.

    `words` are settings of all runs, `epochs` is {"epochs": ...} where these were given. Raises
    ArgumentError for a setting that the study varies itself.
    """
    for name in VARIED:
        if name in words:
            raise ArgumentError(name, words[name], "the study layers varies it; leave it out")
    words = {**BASE, **words, **epochs}
    count = int(words["epochs"])
    told = f"{SOUND}, hidden {words['hidden']}, {counted(count, 'epoch')}"

    def variant(label: str, block: Block | None = None, column: str = "", **others: str) -> Variant:
        return Variant(label, settings_of(DEFAULT, {**words, **others}), column=column, block=block)

    blocks = [variant("as it is")]
    blocks += [variant(label, block, **others) for label, block, others in CHANGES]
    rates = [
        variant(f"lr {rate}", block, column, lr=rate)
        for rate in RATES
        for column, block in (("with batch norm", None), ("without", NO_NORM))
    ]
    poses = [
        variant(f"poses {number}", None, f"dropout {p}", poses=number, dropout=p, epochs=str(times * count))
        for number, times in POSES.items()
        for p in DROPOUTS
    ]
    return [
        Group(f"Layers of a block: {told}", tuple(blocks)),
        Group(f"Batch norm and the learning rate: {told}", tuple(rates), compared=False),
        Group(
            f"Dropout and the number of poses: {SOUND}, as many steps",
            tuple(poses),
            compared=False,
        ),
    ]

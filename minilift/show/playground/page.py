"""The playground as one HTML file: a network, synthetic people, and all that moves them.

It loads nothing, and a Content-Security-Policy in its head forbids it to. The same weights give the same
bytes. Names of files come from the user, and are escaped.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from string import Template
from typing import Any

import numpy as np

from minilift import __version__
from minilift.errors import InputError
from minilift.files import PathLike, file_error, write_atomically
from minilift.lift.lifter import Lifter
from minilift.poses.camera import project, to_camera
from minilift.poses.layouts import COURSE15
from minilift.poses.lens.stature import stature
from minilift.poses.people.shares import ACTIVITIES
from minilift.poses.people.synth import people
from minilift.show.html.document import POLICY, ROOM, json_text, text
from minilift.show.html.numbers import in_base64, quantised, reach
from minilift.show.people.skeletons import side
from minilift.show.playground.packed import pack_network, pack_trust, rounded

HERE = "minilift.show.playground"
CODE = (
    "network.js", "heads.js", "trust.js", "people.js", "pad.js", "view.js", "look.js", "words.js", "page.js",
)  # fmt: skip
EACH = 25  # people of every activity
DRAWN = 4096  # people among whom they are found
SEED = 20  # of the people
TURNS = 24  # look.js has the same


def write_playground(path: PathLike, lifters: Sequence[Lifter]) -> int:
    """Write the page with these lifters, which were loaded from files, atomically; returns its size in bytes.

    Raises InputError where there is none, one is no lifter of the course's joints, its numbers are too large
    for float16, or the file cannot be written.
    """
    if not lifters:
        raise InputError("there are no weights to play with; give some")
    joints, activity = crowd()
    networks, blobs = {}, []
    for number, lifter in enumerate(lifters):
        if lifter.joints != len(COURSE15):
            problem = f"lifts {lifter.joints} joints, not {len(COURSE15)}"
            raise file_error(str(lifter.weights), f"{problem}; give weights for {len(COURSE15)}")
        about, packed = pack_network(lifter)
        blobs.append(_blob(f"weights-{number}", packed))
        about["trust"] = None
        if lifter.has_trust:
            about["trust"], judged = pack_trust(lifter.trust_model)
            blobs.append(_blob(f"trust-{number}", judged))
        about["said"] = _said(about, lifter, packed, joints)
        networks[str(number)] = about
    scene, packed = pack_people(joints, activity)
    page = (
        Template(text(HERE, "page.html"))
        .substitute(
            policy=POLICY,
            version=html.escape(__version__),
            activities=_options(enumerate(ACTIVITIES)),
            weights=_options((name, _name(about)) for name, about in networks.items()),
            round=5,
            people=len(joints),
            turns=TURNS,
            style=text(ROOM, "base.css") + text(HERE, "page.css"),
            scene=json_text({**scene, "networks": networks}),
            packed=packed,
            blobs="\n".join(blobs),
            code=text(ROOM, "bytes.js", "colours.js", "canvas.js") + text(HERE, *CODE),
        )
        .encode()
    )
    write_atomically(path, lambda file: file.write(page))
    return len(page)


def crowd() -> tuple[np.ndarray, np.ndarray]:
    """EACH synthetic people of every activity, in its order: joints (n, 15, 3) in metres from the mid-hip, Y
    up, and activities (n,)."""
    joints, activity = people(DRAWN, SEED)
    chosen = np.concatenate([np.flatnonzero(activity == label)[:EACH] for label in range(len(ACTIVITIES))])
    return joints[chosen], activity[chosen]


def pack_people(joints: np.ndarray, activity: np.ndarray) -> tuple[dict[str, Any], str]:
    """What people.js needs of n people: (a dict fit for JSON, base64). The bytes are float32 reach (n,) and
    stature (n,), int16 joints (n, 15, 3) as minilift.show.html.numbers says, uint8 activity (n,)."""
    reaches = reach(joints).astype("<f4")
    heights = stature(_bone_lengths(joints)).astype("<f4")
    arrays = (reaches, heights, quantised(joints, reaches), activity.astype("u1"))
    scene = {
        "people": len(joints),
        "joints": list(COURSE15.joints),
        "parents": list(COURSE15.parents),
        "sides": [side(joint) for joint in range(len(COURSE15))],
        "mirror": list(COURSE15.mirror),
        "activities": list(ACTIVITIES),
    }
    return scene, in_base64(arrays)


def _bone_lengths(joints: np.ndarray) -> np.ndarray:
    """(n, 15) of people whose root is at 0."""
    return COURSE15.bone_lengths(joints - np.array([0.0, 0.0, 1.0]))


def _said(about: dict[str, Any], lifter: Lifter, packed: str, joints: np.ndarray) -> str:
    """A sentence on the weights: how large they are, and what their rounding does."""
    n, distance = len(joints), 4.0
    around = np.linspace(-np.pi, np.pi, n, endpoint=False)
    image = project(to_camera(joints, around, np.zeros(n), np.full(n, distance))).astype(np.float32)
    apart = np.linalg.norm(rounded(lifter).predict(image) - lifter.predict(image), axis=2).mean()
    size = f"{about['parameters']:,} parameters, {len(packed) / 1e6:.1f} MB of this page in 16 bits each"
    return f"{size}, a rounding that moves joints by {1000 * distance * float(apart):.2f} mm."


def _name(about: dict[str, Any]) -> str:
    return "starting" if about["starting"] else str(about["name"])


def _options(pairs: Any) -> str:
    return "".join(f'<option value="{name}">{html.escape(str(shown))}</option>' for name, shown in pairs)


def _blob(name: str, packed: str) -> str:
    return f'<script type="application/octet-stream" id="{name}">{packed}</script>'

"""One HTML file with lifted people in it: 3D, the 2D keypoints, the video, a timeline, and how it was made.

It loads nothing, and a Content-Security-Policy in its head forbids it to. Names of people, notes and file
names come from the user: they are escaped in HTML, and in JSON no `<` is left that could end a script. The
same people give the same bytes.
"""

from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path
from string import Template

from minilift import __version__
from minilift.files import PathLike, one_line, write_atomically
from minilift.poses.lifted import LiftedPeople
from minilift.show.clip.page.facts import facts, lead, warnings
from minilift.show.clip.page.packed import MOST, pack
from minilift.show.clip.page.pictures import pictures_of
from minilift.show.clip.stage import build, fit_to_draw
from minilift.show.clip.timeline import timeline
from minilift.show.html.document import POLICY, ROOM, json_text, text

HERE = "minilift.show.clip.page"
CODE = (
    "data.js",
    "eye.js",
    "skeleton.js",
    "stage.js",
    "image.js",
    "pictures.js",
    "strips.js",
    "table.js",
    "hand.js",
    "player.js",
)


def write_page(path: PathLike, people: LiftedPeople) -> tuple[str, ...]:
    """Write people as a page, atomically; returns what it leaves out of them, a line each.

    It shows at most MOST people in frames (8.5 MB): every frame of a shorter clip, every second, third ... of
    a longer one. Raises InputError where there is no one to show, or the file cannot be written.
    """
    people = fit_to_draw(people, path)
    stage, shown = build(people), timeline(people, MOST)
    scene, packed = pack(people.take(shown.rows), replace(stage, joints=stage.joints[shown.rows]), shown)
    pictures = pictures_of(people, shown)
    notes = (*shown.notes, *pictures.notes)
    title = one_line(Path(path).stem, 80)
    kind = ("stills" if people.stills else "clip") + " single" * (len(shown.frames) == 1)
    page = Template(text(HERE, "page.html")).substitute(
        title=html.escape(title),
        policy=POLICY,
        version=html.escape(__version__),
        lead=lead(people),
        warnings=warnings(people),
        facts=facts(people, stage.floor, notes),
        kind=kind + " pictured" * bool(pictures.at),
        style=text(ROOM, "base.css") + text(HERE, "page.css"),
        scene=json_text(scene),
        packed=packed,
        pictures=json_text(pictures.as_dict()),
        code=text(ROOM, "bytes.js", "colours.js", "canvas.js") + text(HERE, *CODE),
    )
    write_atomically(path, lambda file: file.write(page.encode()))
    return notes

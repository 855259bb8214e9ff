"""How long the network of the playground takes in a browser: `python -m bench.playground [WEIGHTS ...]`.

Needs playwright and Chromium. Of 200 times five answers, the least, the median and the largest but ten.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from minilift import Lifter
from minilift.lift.weights.starting import STARTING
from minilift.show.playground.page import write_playground

TIMED = """() => {
    const points = minilift.current().given;
    const timed = (act, times, each) => {
        const found = Array.from({ length: times }, () => {
            const begin = performance.now();
            for (let k = 0; k < each; k++) act();
            return (performance.now() - begin) / each;
        }).sort((a, b) => a - b);
        return [found[0], found[times >> 1], found[times - Math.ceil(times / 20)]];
    };
    return {
        answer: timed(() => minilift.lift(points, null), 200, 5),
        "answer and trust": timed(() => minilift.judge(points, null), 200, 5),
        jacobian: timed(() => minilift.jacobian(points, null), 20, 1),
    };
}"""


def main(names: list[str]) -> None:
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name in names:
            path = Path(folder) / "page.html"
            size = write_playground(path, [Lifter.load(name)])
            tab = browser.new_page()
            tab.goto(path.as_uri())
            tab.wait_for_function("() => document.body.dataset.rested === 'yes'")
            print(f"{name}: {size / 1e6:.1f} MB, Chromium {browser.version}; ms, least, median, 95%")
            for what, times in tab.evaluate(TIMED).items():
                print(f"  {what:16}", *(f"{value:8.2f}" for value in times))
            tab.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:] or [STARTING])

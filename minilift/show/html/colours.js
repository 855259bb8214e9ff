// Colours of the page, which follow the browser's: light, dark, and light on paper.

/** The colour that the style sheet calls --name. */
const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Call `draw` whenever the page turns light or dark; paper is light. */
function whenColoursChange(draw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  for (const [event, printing] of [["beforeprint", true], ["afterprint", false]]) {
    addEventListener(event, () => {
      document.documentElement.classList.toggle("print", printing);
      draw();
    });
  }
}

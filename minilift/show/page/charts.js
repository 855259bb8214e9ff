// The charts: every figure of the page, in the page's own colours.

/** The value with every "var(--name)" in it replaced by the colour of that name. */
function coloured(value) {
  if (typeof value === "string" && value.startsWith("var(")) {
    return colourOf(value.slice(6, -1));
  }
  if (Array.isArray(value)) return value.map(coloured);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, coloured(part)]));
  }
  return value;
}

const HEIGHT = 320; // pixels, where the figure does not say

const figures = JSON.parse(document.getElementById("figures").textContent);
const charts = [...document.querySelectorAll(".chart")];

function drawCharts() {
  const axis = { gridcolor: "var(--line)", zerolinecolor: "var(--line)", automargin: true, fixedrange: true,
    ticks: "outside", ticklen: 4, tickcolor: "rgba(0,0,0,0)" };
  const titled = (own) => ({ ...axis, ...own, title: { ...own.title, font: { size: 13 } } });
  charts.forEach((chart, i) => {
    const { data, layout } = figures[i];
    const whole = {
      height: HEIGHT, showlegend: false, dragmode: false, paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)", hoverlabel: { bgcolor: "var(--page)" },
      legend: { orientation: "h", y: 1.02, yanchor: "bottom" }, ...layout,
      font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: "var(--ink)" },
      margin: { l: 10, r: 24, t: 10, b: 10, ...layout.margin },
      xaxis: titled(layout.xaxis), yaxis: titled(layout.yaxis),
    };
    chart.style.height = `${whole.height}px`; // Plotly alone would let it overlap what is below on narrow screens
    Plotly.react(chart, coloured(data), coloured(whole), { displayModeBar: false, responsive: true });
  });
}

drawCharts();
whenColoursChange(drawCharts);

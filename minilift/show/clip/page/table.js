// The numbers of one person in the present frame, in the axes of the files that hold them.

const SHOWN = { "z-up": ([x, y, z]) => [x, -z, y] }[scene.axes] ?? ((point) => point); // from those of the stage
const cells = [...scene.joints, "mid-hip"].map((name) => {
  const row = byId("joints").tBodies[0].insertRow();
  row.innerHTML = `<th scope="row"></th>${"<td></td>".repeat(6)}`;
  row.cells[0].textContent = name;
  return [...row.cells].slice(1);
});
const numberText = (value) => (Number.isNaN(value) ? "" : value.toFixed(metres ? 3 : 4));

function drawTable(at) {
  const person = byId("who").selectedIndex;
  const row = rowOf(person, at);
  const points = row === undefined ? null : joints3d(row);
  cells.forEach((cell, j) => {
    const own = j < ROOT && points;
    const values = points ? SHOWN(points[j]).map(numberText) : ["", "", ""];
    const sure = own ? confidence(row, j) : NaN;
    [...values, Number.isNaN(sure) ? "" : sure.toFixed(2), own ? errorText(expected(row, j)) : "",
      own ? scene.states[stateOf(row, j)] : ""].forEach((text, k) => (cell[k].textContent = text));
  });
  byId("about").textContent = row === undefined ? "Not in this frame." : aboutRow(row);
}

/** One sentence about a person in a frame. */
function aboutRow(row) {
  const parts = [];
  const error = meanOf(expected, row);
  if (!Number.isNaN(error)) parts.push(`expected error ${errorText(error)} ${errorUnit}`);
  const check = rows.check[row];
  if (!Number.isNaN(check)) parts.push(`projected back within ${Math.max(check, 0.001).toPrecision(2)} ${scene.rays ? "of a ray" : "px"}`);
  parts.push(`${Math.round(ROOT * seenShare(row))} of ${ROOT} joints seen`);
  if (scene.trusted) parts.push(rows.unlike[row] ? "unlike the training data" : "like the training data");
  return `${parts.join(", ")}.`.replace(/^./, (letter) => letter.toUpperCase());
}

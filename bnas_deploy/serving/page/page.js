// Sends a dropped or chosen picture to the server and shows its answer.
const model = document.getElementById("model");
const drop = document.getElementById("drop");
const file = document.getElementById("file");
const answer = document.getElementById("answer");

function show(rows) {
  answer.replaceChildren();
  for (const row of rows) {
    const line = answer.insertRow();
    for (const text of row) line.insertCell().textContent = text;
  }
}

async function ask(url, options) {
  const response = await fetch(url, options);
  const record = await response.json();
  if (!response.ok) throw new Error(record.error);
  return record;
}

async function classify(picture) {
  if (!picture) return;
  show([["…"]]);
  try {
    const url = `v1/models/${encodeURIComponent(model.value)}:classify?top_k=5`;
    const record = await ask(url, { method: "POST", body: picture });
    show(record.results[0].top.map((g) => [g.label, `${(100 * g.probability).toFixed(1)} %`]));
  } catch (error) {
    show([[error.message]]);
  }
}

drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  classify(event.dataTransfer.files[0]);
});
file.addEventListener("change", () => classify(file.files[0]));

ask("v1/models")
  .then((record) => {
    for (const name of record.models) model.add(new Option(name));
  })
  .catch((error) => show([[error.message]]));

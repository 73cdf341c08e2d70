// Lists what openapi.json describes: each operation, what it takes, and what it is for.
const place = document.getElementById("operations");

function add(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  place.append(element);
}

function show(method, path, operation) {
  add("h3", `${method.toUpperCase()} ${path}`);
  add("p", operation.description ?? operation.summary);
  const names = (operation.parameters ?? []).map((p) => `${p.name} (${p.in}${p.required ? "" : ", optional"})`);
  if (names.length) add("p", `Takes: ${names.join(", ")}`);
  const bodies = Object.keys(operation.requestBody?.content ?? {});
  if (bodies.length) add("p", `Body: ${bodies.join(", ")}`);
}

fetch("openapi.json")
  .then((response) => response.json())
  .then(({ paths }) => {
    for (const [path, operations] of Object.entries(paths))
      for (const [method, operation] of Object.entries(operations)) show(method, path, operation);
  })
  .catch((error) => add("p", error.message));

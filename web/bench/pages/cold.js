// Sends the time from the page's beginning to the first answer, and the answer.
import { open } from "./engines.js";
import { image } from "./images.js";
import { post, work } from "./post.js";

work(async () => {
  const asked = new URLSearchParams(location.search);
  const { run } = await open(asked);
  const answer = Array.from(await run(image(0, Number(asked.get("size")))));
  await post("/cold", { milliseconds: performance.now(), answer });
});

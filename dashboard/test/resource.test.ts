/** Answers and live values that meet. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createResource } from "../src/data/resource.ts";

test("an answer that was overtaken by a newer value is not shown, but asked for again", async () => {
  const answers: ((value: string) => void)[] = [];
  const resource = createResource(() => new Promise<string>((resolve) => answers.push(resolve)));
  const shown: (string | null)[] = [];
  resource.value.subscribe((value) => shown.push(value));
  const done = resource.refresh();
  resource.put("live");
  answers[0]?.("older");
  await new Promise(setImmediate);
  assert.deepEqual([resource.value.value, resource.loading.value, answers.length], ["live", true, 2]);
  answers[1]?.("newest");
  await done;
  assert.deepEqual(shown, [null, "live", "newest"]);
  assert.deepEqual([resource.loading.value, answers.length], [false, 2]);
});

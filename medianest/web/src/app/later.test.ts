import { expect, test } from "vitest";
import { patiently } from "./later";

/** Fails with the first words, then brings the code. */
function failing(...words: string[]) {
  return async () => {
    const word = words.shift();
    if (word !== undefined) throw new Error(word);
    return "code";
  };
}

function answers(...those: boolean[]) {
  const rest = [...those];
  return async () => rest.shift() ?? true;
}

test("code that nobody brings is asked for until somebody does", async () => {
  let waits = 0;
  const reached = answers(false, false, false);
  await expect(patiently(failing("away", "away", "away"), reached, async () => void waits++)).resolves.toBe("code");
  expect(waits).toBe(3);
});

test("code that comes as soon as somebody answers again is not given up", async () => {
  const reached = answers(true);
  await expect(patiently(failing("just away"), reached, async () => undefined)).resolves.toBe("code");
});

test("code that fails though somebody answers is no more", async () => {
  const reached = answers(false, true);
  await expect(patiently(failing("away", "away", "gone"), reached, async () => undefined)).rejects.toThrow("gone");
});

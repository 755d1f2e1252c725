import { expect, test } from "vitest";
import { addressIn } from "./address";

test("an address is found among the words that a phone shares it with", () => {
  expect(addressIn("Watch this! https://youtu.be/abc?si=x\nShared from the app")).toBe("https://youtu.be/abc?si=x");
  expect(addressIn("  http://a.example/watch ")).toBe("http://a.example/watch");
});

test("an address may be written without how it begins", () => {
  expect(addressIn("www.youtube.com/watch?v=abc")).toBe("https://www.youtube.com/watch?v=abc");
});

test("what is no address stays as it was written, for the server to refuse", () => {
  expect(addressIn("not a link")).toBe("not a link");
  expect(addressIn("cats")).toBe("cats");
});

import { afterEach, expect, test } from "vitest";
import { become, connectionOf, forget, newAsOf } from "./standing";

afterEach(forget);

test("the namespace that is worst off counts", () => {
  expect(connectionOf()).toBe("off");
  become("/auth", "live");
  become("/media", "catching-up");
  expect(connectionOf()).toBe("catching-up");
  become("/auth", "lost");
  expect(connectionOf()).toBe("lost");
});

test("what is shown is as old as the moment at which it stopped being live", () => {
  become("/media", "live");
  become("/media", "lost");
  expect(newAsOf()).toBeInstanceOf(Date);
});

import { expect, test } from "vitest";
import { changed, type Thing } from "./atOnce";

const first = { request: "a", state: "sent" };
const second = { request: "b", state: "sent" };
const list = { pages: [{ items: [first, second], next: null }], pageParams: [0] };
const approved = (thing: Thing) => (thing["request"] === "a" ? { ...thing, state: "approved" } : thing);

test("a thing is changed wherever an answer holds it, and what is beside it stays the same object", () => {
  const after = changed(list, approved) as typeof list;
  expect(after.pages[0]?.items[0]).toEqual({ request: "a", state: "approved" });
  expect(after.pages[0]?.items[1]).toBe(second);
  expect(first.state).toBe("sent");
});

test("an answer that holds nothing of it is the very same", () => {
  const other = { items: [second], next: null };
  expect(changed(other, approved)).toBe(other);
  expect(changed(undefined, approved)).toBe(undefined);
});

test("what is to be gone leaves its list, and a count beside it follows", () => {
  const inbox = { items: [{ position: 1 }, { position: 2 }], unread: 2, next: null };
  const without = (thing: Thing) => (thing["position"] === 1 ? null : "unread" in thing ? { ...thing, unread: 1 } : thing);
  expect(changed(inbox, without)).toEqual({ items: [{ position: 2 }], unread: 1, next: null });
});

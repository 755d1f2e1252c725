// A client as others would write it: socket.io-client from npm, its defaults, and the position it saw last.
// Arguments: url, namespace, token. Prints one JSON line for each thing that happens; reads orders from stdin.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [url, namespace, token] = process.argv.slice(2);
let since = null;
const say = (what, value) => console.log(JSON.stringify([what, value ?? null]));

const socket = io(url + namespace, {
  auth: (answer) => answer({ token, since }), // asked anew at each reconnect
  reconnectionDelay: 20,
  reconnectionDelayMax: 50,
});
socket.io.on("open", () => {
  say("began-with", socket.io.engine.transport.name);
  socket.io.engine.on("upgrade", (transport) => say("upgraded-to", transport.name));
});
socket.on("connect_error", (error) => say("refused", error.data));
socket.on("disconnect", (reason) => say("disconnected", reason));
socket.onAny((event, payload) => {
  since = payload.position ?? since;
  say(event, payload);
});

const orders = {
  drop: () => socket.io.engine.close(), // as a lost network would: the client comes back by itself
  ping: () => socket.emit("ping", null, (answer) => say("pong", answer)),
  join: () => socket.emit("join", { room: "admins" }, (answer) => say("answer", answer)),
  leave: () => process.exit(0),
};
createInterface({ input: process.stdin }).on("line", (order) => orders[order]());

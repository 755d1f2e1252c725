// emmett 0.42 on PostgreSQL: a line of JSON in, a line out, as worker.py has it. A version for each stream instead of
// a condition, which is less to check. The clock is the machine's, the same that Python's time.monotonic() reads.
import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { getPostgreSQLEventStore } from "@event-driven-io/emmett-postgresql";
import pg from "pg";

const CONNECTIONS = 16;
const ABSENT = "STREAM_DOES_NOT_EXIST";
const STREAM = 50; // events of one stream, after which a writer begins another

const place = Object.fromEntries(process.argv[2].split(" ").map((word) => word.split("=")));
const pool = new pg.Pool({ host: place.host, user: place.user, database: place.dbname, max: CONNECTIONS });
const store = getPostgreSQLEventStore(`postgresql://${place.user}@/${place.dbname}?host=${place.host}`, {
  connectionOptions: { pool },
});
const newStream = () => `account-${randomUUID()}`;
const now = () => Number(process.hrtime.bigint()) / 1e9;

const wanted = (writer) => {
  const command = randomUUID();
  return {
    type: "bench.wanted",
    data: {
      type: "bench.wanted",
      request: randomUUID().replaceAll("-", ""),
      account: writer,
      medium: `film-${Math.floor(Math.random() * 10_000)}`,
      title: "The Thing from Another World",
      year: 1951,
    },
    metadata: { actor: { kind: "person", name: "bench" }, command, n: 0, correlation: command },
  };
};

async function append({ writers, seconds, at, events }) {
  const times = [];
  const write = async (number) => {
    let stream, version;
    for (let started = now(); started < at + seconds; started = now()) {
      if (stream === undefined || version >= BigInt(STREAM)) [stream, version] = [newStream(), ABSENT];
      const fresh = Array.from({ length: events }, () => wanted(`writer-${process.pid}-${number}`));
      const answer = await store.appendToStream(stream, fresh, { expectedStreamVersion: version });
      version = answer.nextExpectedStreamVersion;
      times.push(now() - started);
    }
  };
  await sleep(Math.max(0, (at - now()) * 1000));
  const started = now();
  await Promise.all(Array.from({ length: writers }, (_, number) => write(number)));
  return { events: times.length * events, seconds: now() - started, times };
}

async function refusesStale() {
  const stream = newStream();
  await store.appendToStream(stream, [wanted("stale")], { expectedStreamVersion: ABSENT });
  await store.appendToStream(stream, [wanted("stale")], { expectedStreamVersion: 1n });
  try {
    await store.appendToStream(stream, [wanted("stale")], { expectedStreamVersion: 1n });
  } catch (refused) {
    if (refused.errorCode === 412) return true;
    throw refused;
  }
  return false;
}

async function count() {
  const found = await pool.query("SELECT count(*)::int AS n FROM emt_messages");
  return found.rows[0].n;
}

const can = { append: ({ load }) => append(load), "refuses stale": refusesStale, count };
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  process.stdout.write(JSON.stringify(await can[asked.do](asked)) + "\n");
}
process.exit(0);

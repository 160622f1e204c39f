// Better Auth with its organization plugin and its official handler for Node.
// PORT, PROCESSES, and SQLITE=file or POSTGRESQL=url say where.
import cluster from "node:cluster";
import http from "node:http";
import Database from "better-sqlite3";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { organization } from "better-auth/plugins";
import pg from "pg";

const { PORT, PROCESSES, SQLITE, POSTGRESQL } = process.env;

function open() {
  if (POSTGRESQL) return new pg.Pool({ connectionString: POSTGRESQL, max: 10 });
  const file = new Database(SQLITE, { timeout: 30000 });
  file.pragma("journal_mode=WAL");
  file.pragma("synchronous=NORMAL");
  return file;
}

// Its mails go nowhere: only what a request does is measured.
let mails = 0;
const auth = betterAuth({
  baseURL: `http://127.0.0.1:${PORT}`,
  secret: process.env.SECRET,
  database: open(),
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: "error" },
  plugins: [
    organization({
      invitationLimit: 1e9,
      membershipLimit: 1e9,
      async sendInvitationEmail() {
        mails++;
      },
    }),
  ],
});

function listen() {
  http.createServer(toNodeHandler(auth)).listen(Number(PORT), "127.0.0.1");
}

if (cluster.isPrimary) {
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
  if (Number(PROCESSES) === 1) listen();
  else for (let number = 0; number < Number(PROCESSES); number++) cluster.fork();
} else {
  listen();
}

/*
 * A site as a checkout is when it has been built: lighttpd with the example
 * configuration, our programs and the page, in a folder of its own.
 */
import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as net from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = path.resolve(import.meta.dirname ??
	path.dirname(new URL(import.meta.url).pathname), '../..');
const build = path.resolve(root, process.env.BUILD ?? 'build');

// Poll until there is a result, at most so long.
export async function until(what, ask, ms = 120000) {
	const end = Date.now() + ms;

	for (;;) {
		const answer = await ask();

		if (answer)
			return answer;
		if (Date.now() > end)
			throw new Error(`not within ${ms} ms: ${what}`);
		await sleep(20);
	}
}

function connects(port) {
	return new Promise((resolve) => {
		const socket = net.connect(port, '127.0.0.1');

		socket.once('connect', () => {
			socket.destroy();
			resolve(true);
		});
		socket.once('error', () => resolve(false));
	});
}

const marks = `/tmp/rowcast-ports-${process.getuid()}`;

function markOf(port) {
	return path.join(marks, String(port));
}

// Below the ports that the system gives to clients.  The mark keeps other tests
// away; see free_port in tests/helpers.bash.
export async function freePort() {
	fs.mkdirSync(marks, { recursive: true });
	for (;;) {
		const port = 10000 + Math.floor(Math.random() * 22000);
		const mark = markOf(port);

		if (fs.existsSync(mark))
			continue;
		fs.rmSync(mark, { force: true });
		try {
			fs.symlinkSync(`/proc/${process.pid}`, mark);
		} catch {
			continue;
		}
		if (!await connects(port))
			return port;
	}
}

function isRunning(pid) {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

export class Site {
	token = 'browser-token';

	// env: ROWCAST_… for the responder, which lighttpd hands over
	static async start(env = {}) {
		const site = new Site();

		await site.#start(env);
		return site;
	}

	async #start(env) {
		this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'rowcast-'));
		this.db = path.join(this.dir, 'build/run/events.db');
		fs.mkdirSync(path.dirname(this.db), { recursive: true });
		for (const name of ['rowcast.fcgi', 'rowcast-publish.cgi'])
			fs.copyFileSync(path.join(build, name),
				path.join(this.dir, 'build', name));
		fs.copyFileSync(path.join(root, 'lighttpd-example.conf'),
			path.join(this.dir, 'lighttpd-example.conf'));
		fs.mkdirSync(path.join(this.dir, 'web'));
		for (const name of fs.readdirSync(path.join(root, 'web')))
			fs.copyFileSync(path.join(root, 'web', name),
				path.join(this.dir, 'web', name));

		const clean = Object.fromEntries(Object.entries(process.env)
			.filter(([name]) => !name.startsWith('ROWCAST_')));

		this.port = await freePort();
		this.url = `http://127.0.0.1:${this.port}`;
		this.log = path.join(this.dir, 'lighttpd.log');

		const log = fs.openSync(this.log, 'a');

		this.server = spawn('lighttpd',
			['-D', '-f', 'lighttpd-example.conf'], {
				cwd: this.dir,
				env: { ...clean, ...env, PORT: this.port,
					ROWCAST_PUBLISH_TOKEN: this.token },
				stdio: ['ignore', log, log],
			});
		fs.closeSync(log);
		this.ended = new Promise((resolve) =>
			this.server.once('exit', resolve));
		await until('lighttpd answers', async () => {
			if (this.server.exitCode !== null)
				throw new Error(fs.readFileSync(this.log, 'utf8'));
			return await connects(this.port) && this.#hasLog();
		});
	}

	#hasLog() {
		try {
			this.sql('SELECT 1 FROM events');
			return true;
		} catch {
			return false;
		}
	}

	// The sqlite3 shell on the log; its output.
	sql(text) {
		return execFileSync('sqlite3',
			['-bail', '-cmd', '.timeout 5000', this.db, text],
			{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
	}

	insert(data, { topic = '', event = 'message' } = {}) {
		const quoted = [topic, event, data]
			.map((s) => `'${s.replaceAll("'", "''")}'`);

		this.sql(`INSERT INTO events(topic, event, data)
			VALUES(${quoted})`);
	}

	// Another log takes the place of this one, as after a restore.
	replaceLog(rows) {
		const other = `${this.db}.new`;

		execFileSync('sqlite3', [other], {
			input: fs.readFileSync(path.join(root, 'sql/schema.sql')),
			stdio: ['pipe', 'ignore', 'inherit'],
		});
		execFileSync('sqlite3', [other,
			...rows.map((data) =>
				`INSERT INTO events(data) VALUES('${data}');`),
			'PRAGMA wal_checkpoint(TRUNCATE)'], { stdio: 'ignore' });
		for (const suffix of ['-wal', '-shm'])
			fs.rmSync(this.db + suffix, { force: true });
		fs.renameSync(other, this.db);
	}

	// Processes that lighttpd has started: the responder.
	responders() {
		return execFileSync('sh',
			['-c', 'pgrep -P "$0" || :', String(this.server.pid)],
			{ encoding: 'utf8' }).split('\n').filter(Boolean).map(Number);
	}

	// Sockets that the responder has open.
	sockets() {
		const folder = `/proc/${this.responders()[0]}/fd`;

		return fs.readdirSync(folder).filter((fd) => {
			try {
				return fs.readlinkSync(path.join(folder, fd))
					.startsWith('socket:');
			} catch {
				return false;
			}
		}).length;
	}

	async stop() {
		const children = this.responders();

		this.server.kill();
		await Promise.race([this.ended, sleep(10000)]);
		for (const pid of [this.server.pid, ...children])
			if (isRunning(pid))
				process.kill(pid, 'SIGKILL');
		fs.rmSync(this.dir, { recursive: true, force: true });
		fs.rmSync(markOf(this.port), { force: true });
	}
}

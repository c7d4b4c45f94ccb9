#!/usr/bin/env node
/*
 * publish.mjs: publish events; Node.js 18 or later and no packages.
 *
 *     publish.mjs http TOPIC DATA...    through the web server, with the token
 *     publish.mjs sql  TOPIC DATA...    into the log, on the same machine
 *
 * Prints the ids.  Several DATA are stored together or not at all.
 */
import { execFileSync } from 'node:child_process';

async function publishHttp(events) {
	const { ROWCAST_PUBLISH_TOKEN: token, ROWCAST_PUBLISH_URL: url } = process.env;
	// After a timeout, the events may or may not be stored.  Give an event
	// a "key", and you can safely send it again.
	const answer = await fetch(url ?? 'http://127.0.0.1:8080/publish', {
		method: 'POST',
		headers: {
			'Authorization': `Bearer ${token}`,
			'Content-Type': 'application/json',
		},
		body: JSON.stringify(events),
		signal: AbortSignal.timeout(10000),
	});

	if (!answer.ok)
		throw new Error(await answer.text()); // says what to do
	return (await answer.json()).ids;
}

// This uses the sqlite3 shell.  With a driver (node:sqlite, better-sqlite3),
// use the same SQL and bind the JSON to json_each(?).
function publishSql(events) {
	const db = process.env.ROWCAST_DB ?? 'build/run/events.db';
	// All values are passed in one JSON text.  In an SQL string, only
	// quotes need escaping: they are doubled.
	const json = JSON.stringify(events).replaceAll("'", "''");
	const ids = execFileSync('sqlite3', ['-batch', '-bail', db], {
		encoding: 'utf8',
		// .timeout waits up to 5 s for other writers.  Put changes of
		// your own tables before COMMIT, so that both are stored or
		// neither.
		input: `.timeout 5000
			BEGIN IMMEDIATE;
			INSERT INTO events(topic, data)
				SELECT value ->> 'topic', value ->> 'data'
				FROM json_each('${json}')
				RETURNING id;
			COMMIT;`,
	});

	return ids.trim().split('\n');
}

const [how, topic, ...data] = process.argv.slice(2);
const publish = { http: publishHttp, sql: publishSql }[how];

if (!publish || data.length === 0) {
	console.error('usage: publish.mjs http|sql TOPIC DATA...');
	process.exit(2);
}
try {
	const ids = await publish(data.map((text) => ({ topic, data: text })));

	console.log(ids.join('\n'));
} catch (e) {
	console.error(e.message);
	process.exit(1);
}

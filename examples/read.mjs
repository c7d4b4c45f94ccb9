#!/usr/bin/env node
/*
 * read.mjs: follow a stream with EventSource in Node.js.
 *
 *     npm install eventsource
 *     read.mjs URL [SINCE [NAME...]]     http://127.0.0.1:8080/events?topic=news
 *
 * Prints "ID NAME DATA" for each event named "message", or NAME.  In browsers
 * and in Deno, which have EventSource, leave out the import.
 */
import { EventSource } from 'eventsource';

// Copy the parts that you need.  Store the last id together with the effect of
// the event, and pass it as since when your program starts again.
function follow(url, since, names, take, warn) {
	const from = new URL(url);

	// Always say where to start.  Releases of this package before 5 forget
	// the id at the beginning of a stream: if the stream were cut before
	// its first event, they would reconnect without an id and miss events.
	from.searchParams.set('since', since);

	const source = new EventSource(from);
	const receive = (e) => {
		since = e.lastEventId || since;
		take(e);
	};

	for (const name of ['message', ...names])
		source.addEventListener(name, receive);
	source.addEventListener('stream-gap', (e) => {
		const { after, next } = JSON.parse(e.data);

		warn(`gone: events after ${after}, before ${next}`);
	});
	source.addEventListener('stream-reset', (e) => {
		// Discard the state that was made of earlier events.
		since = e.lastEventId;
		warn(`another log: ${e.data}`);
	});
	source.onerror = (e) => {
		// EventSource reconnects by itself after a lost connection,
		// with the last id.  After an HTTP error it stops; a 5xx of the
		// web server is temporary, so open a new one.
		if (source.readyState !== EventSource.CLOSED)
			return;
		warn(e.message);
		if (e.code >= 500)
			setTimeout(follow, 5000, url, since, names, take, warn);
	};
}

const [url, since = 'earliest', ...names] = process.argv.slice(2);

if (!url) {
	console.error('usage: read.mjs URL [SINCE [NAME...]]');
	process.exit(2);
}
follow(url, since, names,
	(e) => console.log(e.lastEventId, e.type, e.data), console.error);

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

// Take the parts that you need.  Keep the last id with what you make of the event
// and give it as since when your program starts again.
function follow(url, since, names, take, warn) {
	const from = new URL(url);

	// Always say where to start.  Releases of this package before 5 forget the
	// id that a stream opens with: one that is cut before its first event
	// would come back without it, and begin at the "now" of then.
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
		// What was made of earlier events is void: begin anew.
		since = e.lastEventId;
		warn(`another log: ${e.data}`);
	});
	source.onerror = (e) => {
		// A lost connection it takes up again by itself, with the last id.
		// At any HTTP error it gives up: not so a web server's 5xx, which
		// will pass.
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

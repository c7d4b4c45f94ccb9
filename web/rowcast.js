/*
 * The demo page of rowcast.
 *
 *   ?topic=T      the filter: a topic, or a prefix followed by "*"
 *   ?src=URL      the stream to open, instead of "events" beside this page.
 *                 A stream of another origin is requested with credentials and
 *                 must allow this origin
 *   #token=T      the token of the publish form; it moves to sessionStorage
 *
 * EventSource reconnects by itself after a lost connection and sends the id of
 * the last event.  After an HTTP error it stops; this page then opens a new
 * EventSource and passes the last id in the query.
 */
'use strict';

(() => {
const ROWS_MAX = 300;
const SHOWN_MAX = 4000; // characters of one event's data
const RETRY_MAX_S = 30;
const TOKEN = 'rowcast-token';
// Years beyond 9999 would reach the end of what Date can hold.
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const OWN_NAMES = ['message', 'ping', 'connecttime', 'stream-gap',
	'stream-reset'];

const page = new URLSearchParams(location.search);
const $ = (id) => document.getElementById(id);

let source = null;
let lastId = '';      // of the last event seen, '' before the first
let topic = page.get('topic') ?? '';
let extraNames = [];  // event names from the filter form
let failures = 0;     // HTTP errors in a row
let retryAt = 0;      // when this page opens a new stream, or 0
let waitingSince = 0; // when the browser began to reconnect, or 0
let clockOffset = null; // server's clock minus this one, in ms
let count = 0;

/* ---- state ---- */

function show(state, text) {
	if ($('state').dataset.state === state && $('state').textContent === text)
		return;
	$('state').dataset.state = state;
	$('state').textContent = text;
	$('toggle').textContent = state === 'closed' ? 'Connect' : 'Disconnect';
}

// Update the texts that change each second.  Screen readers skip them.
function tick() {
	const now = Date.now();
	let wait = '';

	if (retryAt) {
		wait = `in ${Math.max(0, Math.ceil((retryAt - now) / 1000))} s`;
		if (now >= retryAt)
			open();
	} else if (waitingSince) {
		wait = `for ${Math.floor((now - waitingSince) / 1000)} s`;
	}
	if ($('wait').textContent !== wait)
		$('wait').textContent = wait;
	if (clockOffset !== null) {
		const time = new Date(now + clockOffset);

		$('clock').textContent = time.toLocaleTimeString();
		$('clock').dateTime = time.toISOString();
	}
}

/* ---- the stream ---- */

function streamUrl() {
	const url = new URL(page.get('src') ?? 'events', location.href);

	if (url.protocol !== 'http:' && url.protocol !== 'https:')
		throw new Error('src must be an http or https address');
	url.searchParams.set('hello', 'connecttime');
	if (topic !== '')
		url.searchParams.set('topic', topic);
	// Continue after the last event, or begin with the last few.
	if (lastId !== '')
		url.searchParams.set('last_event_id', lastId);
	else
		url.searchParams.set('since', 'last:10');
	return url;
}

function listen(name) {
	source.addEventListener(name, receive);
}

function open() {
	close();
	show('connecting', 'Connecting');
	try {
		source = new EventSource(streamUrl(), { withCredentials: true });
	} catch (e) {
		show('closed', `Disconnected: ${e.message}`);
		return;
	}
	source.onopen = (e) => {
		if (isEvent(e))
			return;
		failures = 0;
		waitingSince = 0;
		show('open', 'Connected');
		tick();
	};
	source.onerror = lost;
	[...OWN_NAMES, ...extraNames].forEach(listen);
	tick();
}

function close() {
	retryAt = 0;
	waitingSince = 0;
	if (source)
		source.close();
	source = null;
}

// An event of the stream may be named "open" or "error", too.
function isEvent(e) {
	return e instanceof MessageEvent;
}

function lost(e) {
	if (isEvent(e))
		return;
	if (source.readyState === EventSource.CONNECTING) {
		// The browser waits for the time given by the stream's "retry:".
		waitingSince ||= Date.now();
		show('reconnecting', 'Reconnecting');
	} else {
		const s = Math.min(RETRY_MAX_S, 2 ** ++failures);

		close();
		retryAt = Date.now() + s * 1000 * (0.75 + Math.random() / 2);
		show('reconnecting', 'Refused; trying again');
	}
	tick();
}

function receive(e) {
	if (!isEvent(e))
		return;
	if (e.lastEventId !== '') {
		lastId = e.lastEventId;
		$('last-id').textContent = lastId;
	}
	switch (e.type) {
	case 'connecttime':
		clockOffset = TIME.test(e.data) ?
			Date.parse(e.data) - Date.now() : null;
		if (Number.isNaN(clockOffset))
			clockOffset = null;
		tick();
		addRow('', e.type, e.data, 'hello');
		break;
	case 'ping':
		$('ping').textContent = e.data;
		addRow(e.lastEventId, e.type, e.data, 'ping');
		break;
	case 'stream-gap':
	case 'stream-reset':
		addRow('', e.type, notice(e), 'notice');
		break;
	default:
		addRow(e.lastEventId, e.type, e.data, 'event');
	}
}

function notice(e) {
	try {
		const told = JSON.parse(e.data);

		if (e.type === 'stream-gap')
			return `Missed for good: events after ${told.after} ` +
				`and before ${told.next} are no longer kept.`;
		return `The log was replaced: it ends at ${told.head}, ` +
			`and event ${told.after} is not in it. Live from here.`;
	} catch {
		return e.data;
	}
}

/* ---- the table ---- */

function addRow(id, name, data, kind) {
	const row = $('rows').insertRow(0);
	const time = document.createElement('time');
	const now = new Date();

	row.className = `${kind} new`;
	row.setAttribute('role', 'row');
	time.dateTime = now.toISOString();
	time.textContent = now.toLocaleTimeString();
	if (data.length > SHOWN_MAX)
		data = data.slice(0, SHOWN_MAX) +
			`… (${data.length} characters)`;
	for (const content of [id, time, name, data]) {
		const cell = row.insertCell();

		cell.setAttribute('role', 'cell');
		cell.append(content);
	}
	while ($('rows').rows.length > ROWS_MAX)
		$('rows').lastElementChild.remove();
	$('count').textContent = ++count;
	$('table').hidden = false;
	if (kind !== 'hello')
		$('empty').hidden = true;
}

function clear() {
	$('rows').replaceChildren();
	count = 0;
	$('count').textContent = '0';
	$('table').hidden = true;
	$('empty').hidden = false;
}

/* ---- publishing ---- */

// Where storage is disabled, the token is lost with the page.
function store(token) {
	try {
		sessionStorage.setItem(TOKEN, token);
	} catch {
	}
}

function stored() {
	try {
		return sessionStorage.getItem(TOKEN) ?? '';
	} catch {
		return '';
	}
}

function takeToken() {
	const token = new URLSearchParams(location.hash.slice(1)).get('token');

	if (token === null)
		return;
	store(token);
	$('p-token').value = token;
	history.replaceState(null, '', location.pathname + location.search);
}

function receipt(kind, text) {
	$('receipt').className = kind;
	$('receipt').textContent = text;
}

async function publish(e) {
	const fields = new URLSearchParams();
	const token = $('p-token').value;
	const button = e.submitter;

	e.preventDefault();
	for (const name of ['topic', 'event', 'data'])
		if ($(`p-${name}`).value !== '')
			fields.set(name, $(`p-${name}`).value);
	store(token);
	receipt('', 'Sending');
	if (button)
		button.disabled = true;
	try {
		const answer = await fetch(new URL('publish', location.href), {
			method: 'POST',
			body: fields,
			headers: token === '' ? {} :
				{ Authorization: `Bearer ${token}` },
		});
		// rowcast answers in JSON; a web server's own error may be HTML.
		const body = await answer.json().catch(() => ({}));

		if (answer.ok)
			receipt('good', `Stored as event ${body.id}`);
		else
			receipt('bad', body.detail ??
				`${answer.status} ${answer.statusText}`);
	} catch (problem) {
		receipt('bad', `Could not send: ${problem.message}`);
	} finally {
		if (button)
			button.disabled = false;
	}
}

/* ---- controls ---- */

$('toggle').addEventListener('click', () => {
	if (source || retryAt) {
		close();
		show('closed', 'Disconnected');
		tick();
	} else {
		failures = 0;
		open();
	}
});

$('filter').addEventListener('submit', (e) => {
	const wanted = $('topic').value;
	const names = $('names').value.split(/[\s,]+/)
		.filter((n) => n !== '' && !OWN_NAMES.includes(n));

	e.preventDefault();
	extraNames = [...new Set(names)];
	topic = wanted;
	failures = 0;
	open();
});

$('pings').addEventListener('change', (e) => {
	$('rows').classList.toggle('hide-pings', !e.target.checked);
});
$('clear').addEventListener('click', clear);
$('publish').addEventListener('submit', publish);
addEventListener('hashchange', takeToken);
// A page in the back/forward cache must not hold a connection.
addEventListener('pagehide', close);
addEventListener('pageshow', (e) => {
	if (e.persisted)
		open();
});

// On a phone, fold the forms so that the events are visible.
if (matchMedia('(max-width: 35rem)').matches)
	for (const form of document.querySelectorAll('details'))
		form.open = false;

$('topic').value = topic;
$('p-token').value = stored();
takeToken();
setInterval(tick, 500);
open();
})();

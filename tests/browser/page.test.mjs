/*
 * The demo page in a real browser, against the real programs.
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { chromium } from 'playwright-core';

import { Site, until } from './site.mjs';

// For what hangs; on a busy machine, everything takes ten times as long.
const LIMIT = { timeout: 600000 };
const RETRY_MS = 2000;

let browser, site, context, page, complaints;

before(async () => {
	browser = await chromium.launch({
		executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
		args: [
			...process.getuid() === 0 ? ['--no-sandbox'] : [],
			'--disable-gpu', '--disable-quic', '--no-first-run',
			'--disable-background-networking',
			'--disable-component-update', '--disable-sync',
		],
	});
});

after(() => browser?.close());

beforeEach(async () => {
	site = await Site.start({ ROWCAST_RETRY_MS: String(RETRY_MS) });
	complaints = [];
	await newPage({ viewport: { width: 1280, height: 800 } });
}, LIMIT);

afterEach(async () => {
	await context?.close();
	await site?.stop();
	// Whatever a test was about: no exception, nothing against the policy.
	assert.deepEqual(complaints, []);
}, LIMIT);

async function newPage(options) {
	await context?.close();
	context = await browser.newContext(options);
	page = await context.newPage();
	page.setDefaultTimeout(120000);
	page.on('pageerror', (e) => complaints.push(String(e)));
	page.on('console', (m) => {
		if (/Content Security Policy/.test(m.text()))
			complaints.push(m.text());
	});
}

/* ---- what there is to see ---- */

async function opened(query = '') {
	await page.goto(`${site.url}/${query}`);
	await state('open');
}

function state(name) {
	return page.locator(`#state[data-state=${name}]`).waitFor();
}

// The rows of the table, oldest first, as [id, event, data].
function rows(kind = 'event') {
	return page.$$eval(`#rows tr.${kind}`, (trs) => trs.reverse().map((tr) =>
		[0, 2, 3].map((i) => tr.cells[i].textContent)));
}

function shows(data) {
	return page.locator('#rows tr', { hasText: data }).first().waitFor();
}

async function picture(name) {
	const folder = process.env.SCREENSHOTS;

	if (!folder)
		return;
	fs.mkdirSync(folder, { recursive: true });
	await page.emulateMedia({ reducedMotion: 'reduce' });
	await page.screenshot({ path: path.join(folder, `${name}.png`),
		fullPage: true });
}

/* ---- the tests ---- */

test('the page opens, connects and shows the server\'s time', LIMIT, async () => {
	const before = Date.now();

	await opened();
	await page.waitForFunction(() =>
		/\d/.test(document.getElementById('clock').textContent));

	const time = await page.getAttribute('#clock', 'datetime');

	// in seconds; the clock goes on between the two
	assert.ok(Date.parse(time) > before - 2000, time);
	assert.ok(Date.parse(time) < Date.now() + 2000, time);
	assert.equal((await rows('hello'))[0][1], 'connecttime');
});

test('a row inserted by sqlite3 arrives', LIMIT, async () => {
	await opened();
	site.insert('<b>hi</b>\nline two');
	await shows('line two');
	assert.deepEqual(await rows(), [['1', 'message', '<b>hi</b>\nline two']]);
	assert.equal(await page.textContent('#last-id'), '1');
});

test('the newest events come first, a few that were there before too', LIMIT,
async () => {
	for (let i = 1; i <= 12; i++)
		site.insert(`row-${i}`);
	await opened();
	await shows('row-12');
	site.insert('row-13');
	await shows('row-13');
	assert.deepEqual((await rows()).map(([id]) => Number(id)),
		[3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
	assert.match(await page.textContent('#rows tr'), /row-13/);
});

test('pings go to the table and to the clock', LIMIT, async () => {
	await opened();
	site.sql(`INSERT INTO events(event, retry_ms, data)
		VALUES('ping', 10000, 'data-' || strftime('%s', 'now'))`);
	await shows('data-');
	assert.match(await page.textContent('#ping'), /^data-\d+$/);
	await page.uncheck('#pings');
	assert.equal(await page.locator('#rows tr.ping').isVisible(), false);
});

test('a named event arrives once it is asked for', LIMIT, async () => {
	await opened();
	site.insert('first', { event: 'order' });
	site.insert('seen');
	await shows('seen');
	await page.fill('#names', 'order, invoice');
	await page.click('#filter button');
	await state('open');
	site.insert('second', { event: 'order' });
	await shows('second');
	assert.deepEqual(await rows(),
		[['2', 'message', 'seen'], ['3', 'order', 'second']]);
});

test('a row may have any name and any time', LIMIT, async () => {
	await opened();
	await page.fill('#names', 'error, open');
	await page.click('#filter button');
	await state('open');
	for (const time of ['+275760-09-13T00:00:00Z', '275760-09-12T23:59:59Z',
		'Sat, 13 Sep 275760 00:00:00 GMT', '2026-13-99T00:00:00Z'])
		site.insert(time, { event: 'connecttime' });
	site.insert('first', { event: 'error' });
	site.insert('second', { event: 'open' });
	site.insert('last');
	await shows('last');
	// The clock ticks each half second; an exception fails the test.
	await page.waitForTimeout(1200);
	await state('open');
	assert.deepEqual((await rows()).map((r) => r.slice(1)), [
		['error', 'first'], ['open', 'second'], ['message', 'last']]);
	assert.equal((await rows('hello')).length, 6);
});

test('the topic filter: exact, a beginning, and from the address', LIMIT,
async () => {
	await opened('?topic=news');
	assert.equal(await page.inputValue('#topic'), 'news');
	site.insert('n1', { topic: 'news' });
	await shows('n1');
	await page.fill('#topic', 'sport/*');
	await page.press('#topic', 'Enter');
	await state('open');
	site.insert('n2', { topic: 'news' });
	site.insert('s1', { topic: 'sport/football' });
	site.insert('x', { topic: 'sports' });
	site.insert('s2', { topic: 'sport/' });
	await shows('s2');
	assert.deepEqual((await rows()).map((r) => r[2]), ['n1', 's1', 's2']);
});

test('the form publishes with the token from the address', LIMIT, async () => {
	await opened(`#token=${site.token}`);
	assert.equal(new URL(page.url()).hash, '');
	await page.fill('#p-topic', 'form');
	await page.fill('#p-data', 'a & b = ü\nsecond line');
	await page.click('#publish button');
	await page.locator('#receipt', { hasText: 'Stored as event 1' }).waitFor();
	await shows('second line');
	assert.deepEqual(await rows(), [['1', 'message', 'a & b = ü\nsecond line']]);
	assert.equal(site.sql('SELECT topic FROM events').trim(), 'form');
	// The token is still there after a reload, and only in this tab.
	await page.reload();
	assert.equal(await page.inputValue('#p-token'), site.token);
	await newPage();
	await opened();
	assert.equal(await page.inputValue('#p-token'), '');
});

test('the form says why an event was not taken', LIMIT, async () => {
	await opened();
	await page.fill('#p-data', 'x');
	await page.fill('#p-token', 'wrong');
	await page.click('#publish button');
	await page.locator('#receipt.bad', { hasText: /token/i }).waitFor();
	await page.fill('#p-token', site.token);
	await page.fill('#p-event', 'stream-mine');
	await page.click('#publish button');
	await page.locator('#receipt.bad', { hasText: 'begins with stream-' })
		.waitFor();
	assert.deepEqual(await rows(), []);
});

test('killed, the responder comes back and the browser resumes', LIMIT,
async () => {
	const asked = [];

	page.on('request', async (request) => {
		if (request.url().includes('/events'))
			asked.push((await request.allHeaders())['last-event-id']);
	});
	await opened();
	for (let i = 1; i <= 3; i++)
		site.insert(`row-${i}`);
	await shows('row-3');

	const [pid] = site.responders();

	process.kill(pid, 'SIGKILL');
	await state('reconnecting');
	for (let i = 4; i <= 6; i++)
		site.insert(`row-${i}`);
	await shows('row-6');
	await state('open');
	site.insert('row-7');
	await shows('row-7');
	assert.notEqual(site.responders()[0], pid);
	assert.deepEqual((await rows()).map((r) => r[0]),
		['1', '2', '3', '4', '5', '6', '7']);
	assert.deepEqual(asked, [undefined, '3']);
});

test('after an HTTP error the page returns by itself', LIMIT, async () => {
	await opened();
	site.insert('row-1');
	await shows('row-1');

	const queries = [];

	await page.route('**/events?*', async (route) => {
		queries.push(new URL(route.request().url()).searchParams);
		await route.fulfill({ status: 503, body: 'busy' });
	}, { times: 1 });
	// The stream ends as at the end of its age; then the answer is 503.
	process.kill(site.responders()[0], 'SIGTERM');
	await page.locator('#state', { hasText: 'Refused' }).waitFor();
	assert.match(await page.textContent('#wait'), /^in \d+ s$/);
	site.insert('row-2');
	await shows('row-2');
	await state('open');
	assert.deepEqual((await rows()).map((r) => r[0]), ['1', '2']);
	assert.equal(queries.length, 1);
});

test('Disconnect ends the stream, Connect resumes where it ended', LIMIT, async () => {
	await opened();
	site.insert('row-1');
	await shows('row-1');

	const sockets = site.sockets();

	await page.click('#toggle');
	await state('closed');
	await until('the responder has let go', () => site.sockets() < sockets);
	site.insert('row-2');
	site.insert('row-3');
	// Time enough to come back, if it were to.
	await page.waitForTimeout(RETRY_MS + 500);
	assert.deepEqual((await rows()).map((r) => r[0]), ['1']);
	await page.click('#toggle');
	await shows('row-3');
	assert.deepEqual((await rows()).map((r) => r[0]), ['1', '2', '3']);
});

test('from another origin, with credentials', LIMIT, async () => {
	const other = await Site.start({ ROWCAST_CORS_ORIGINS: site.url });

	try {
		let cookie;

		page.on('request', async (request) => {
			if (request.url().startsWith(other.url))
				cookie = (await request.allHeaders()).cookie;
		});
		await context.addCookies([
			{ name: 'who', value: 'me', url: other.url }]);
		await opened(`?src=${encodeURIComponent(`${other.url}/events`)}`);
		other.insert('from afar');
		await shows('from afar');
		assert.equal(cookie, 'who=me');
		// The other way round it is not allowed.
		await page.goto(`${other.url}/?src=${
			encodeURIComponent(`${site.url}/events`)}`);
		await page.locator('#state', { hasText: 'Refused' }).waitFor();
	} finally {
		await other.stop();
	}
});

test('a gap and a reset are told in the table', LIMIT, async () => {
	await opened();
	for (let i = 1; i <= 3; i++)
		site.insert(`row-${i}`);
	await shows('row-3');
	await page.click('#toggle');
	for (let i = 4; i <= 6; i++)
		site.insert(`row-${i}`);
	site.sql('DELETE FROM events WHERE id < 6');
	await page.click('#toggle');
	await shows('row-6');
	assert.deepEqual(await rows('notice'), [['', 'stream-gap',
		'Missed for good: events after 3 and before 6 are no longer kept.']]);
	site.replaceLog(['other-1', 'other-2']);
	await shows('The log was replaced');
	site.insert('other-3');
	await shows('other-3');
	assert.equal((await rows('notice'))[1][1], 'stream-reset');
	assert.equal(await page.textContent('#last-id'), '3');
});

test('no more than some hundred rows are kept', LIMIT, async () => {
	await opened();
	site.sql(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
		SELECT i + 1 FROM n WHERE i < 1000)
		INSERT INTO events(data) SELECT 'row-' || i FROM n`);
	await shows('row-1000');
	assert.equal((await rows()).length, 300);
	assert.equal(await page.textContent('#count'), '1001'); // and the hello
});

for (const colorScheme of ['light', 'dark']) {
	test(`on a phone nothing sticks out, ${colorScheme}`, LIMIT, async () => {
		await newPage({ viewport: { width: 360, height: 740 }, colorScheme,
			isMobile: true, hasTouch: true });
		await opened(`#token=${site.token}`);
		await everything(`phone-${colorScheme}`);
	});

	test(`on a desk nothing sticks out, ${colorScheme}`, LIMIT, async () => {
		await newPage({ viewport: { width: 1280, height: 800 }, colorScheme });
		await opened(`#token=${site.token}`);
		await everything(`desk-${colorScheme}`);
	});
}

test('every field has a label, and only the state is read out', LIMIT,
async () => {
	await opened();
	assert.deepEqual(await page.$$eval('input, textarea, button', (all) =>
		all.filter((e) => e.labels?.length === 0 &&
			e.textContent.trim() === '').map((e) => e.id)), []);
	assert.deepEqual(await page.$$eval('[role=status], [aria-live], output',
		(all) => all.map((e) => e.id)), ['state', 'receipt']);
	// Without a mouse.
	await page.focus('#toggle');
	await page.keyboard.press('Enter');
	await state('closed');
});

// One of each kind of row, and data that will not break by itself; the forms open
// and closed.
async function everything(name) {
	await picture(`${name}-first`);
	for (const closed of await page.$$('details:not([open]) summary'))
		await closed.click();
	site.insert('{"order":4711,"total":"12.50","paid":true}',
		{ topic: 'shop/orders' });
	site.sql(`INSERT INTO events(event, retry_ms, data)
		VALUES('ping', 10000, 'data-' || strftime('%s', 'now'))`);
	site.insert('Two lines:\nthe second one');
	site.insert(`https://example.org/${'very-'.repeat(3)}${'x'.repeat(90)}`);
	await shows('xxxx');
	await page.click('#toggle');
	site.insert('never seen');
	site.sql(`DELETE FROM events WHERE data = 'never seen'`);
	site.insert('back again');
	await page.fill('#names', 'a-rather-long-event-name-without-any-blank');
	await page.click('#filter button');
	await shows('back again');
	site.insert('named', { event: 'a-rather-long-event-name-without-any-blank' });
	await shows('named');
	await page.fill('#p-data', 'Hello from the form');
	await page.click('#publish button');
	await page.locator('#receipt.good').waitFor();
	await shows('Hello from the form');
	assert.equal(await overflow(), 0);
	await picture(name);
	await page.$$eval('details', (all) => all.forEach((d) => d.open = false));
	assert.equal(await overflow(), 0);
}

// How many pixels the page is wider than the window.
function overflow() {
	return page.evaluate(() => document.documentElement.scrollWidth -
		document.documentElement.clientWidth);
}

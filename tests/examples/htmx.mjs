/*
 * examples/htmx.html in a real browser, against the real programs; for
 * tests/examples.bats.
 *
 *   usage: htmx.mjs TEST
 */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

import { Site } from '../browser/site.mjs';

const browserTests = new URL('../browser/', import.meta.url);
const { chromium } = createRequire(browserTests)('playwright-core');

let site, page;

function news() {
	return page.$$eval('#news li', (all) => all.map((li) => li.textContent));
}

function shows(text) {
	return page.locator('#news li', { hasText: text }).first().waitFor();
}

function publish(text) {
	site.insert(`<li>${text}</li>`, { topic: 'news' });
}

// The page, with the stream open.
async function opened() {
	const answer = page.waitForResponse('**/events?*');

	await page.goto(`${site.url}/htmx.html`);
	await answer;
}

const tests = {
	async swaps() {
		await opened();
		publish('one');
		publish('two <b>bold</b>');
		site.insert('<i>17</i>', { topic: 'news', event: 'visitors' });
		site.insert('<li>not mine</li>', { topic: 'other' });
		publish('three');
		await shows('three');
		assert.deepEqual(await news(), ['three', 'two bold', 'one']);
		assert.equal(await page.textContent('#news b'), 'bold');
		assert.equal(await page.innerHTML('#visitors'), '<i>17</i>');
	},

	async begins() {
		for (let i = 1; i <= 25; i++)
			publish(`n${i}.`);
		await opened();
		await shows('n25.');
		assert.equal((await news()).length, 20);
		assert.equal((await news())[19], 'n6.');
	},

	async survives() {
		const want = [];

		await opened();
		for (const round of ['a', 'b', 'c']) {
			publish(`${round}1`);
			await shows(`${round}1`);
			process.kill(site.responders()[0], 'SIGKILL');
			publish(`${round}2`);
			await shows(`${round}2`);
			want.unshift(`${round}2`, `${round}1`);
		}
		assert.deepEqual(await news(), want);
	},

	async returns() {
		await opened();
		publish('one');
		await shows('one');
		await page.route('**/events?*',
			(route) => route.fulfill({ status: 503, body: 'busy' }),
			{ times: 1 });

		const refused = page.waitForResponse((answer) =>
			answer.status() === 503);

		process.kill(site.responders()[0], 'SIGTERM');
		await refused;
		publish('two');
		await shows('two');
		publish('three');
		await shows('three');
		assert.deepEqual(await news(), ['three', 'two', 'one']);
	},

	async renews() {
		await opened();
		publish('one');
		await shows('one');

		const loaded = page.waitForEvent('load');

		process.kill(site.responders()[0], 'SIGKILL');
		site.sql(`BEGIN;
			INSERT INTO events(topic, data) VALUES('news', '<li>two</li>');
			DELETE FROM events WHERE data = '<li>two</li>';
			COMMIT`);
		publish('three');
		await loaded;
		await shows('three');
		assert.deepEqual(await news(), ['three', 'one']);
	},
};

function copyPage() {
	for (const [from, to] of [
		['../../examples/htmx.html', 'htmx.html'],
		['node_modules/htmx.org/dist/htmx.min.js', 'htmx.min.js'],
		['node_modules/htmx-ext-sse/dist/sse.min.js', 'sse.min.js'],
	])
		fs.copyFileSync(fileURLToPath(new URL(from, import.meta.url)),
			`${site.dir}/web/${to}`);
}

const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
	args: [
		...process.getuid() === 0 ? ['--no-sandbox'] : [],
		'--disable-gpu', '--disable-quic', '--no-first-run',
		'--disable-background-networking',
		'--disable-component-update', '--disable-sync',
	],
});

try {
	const complaints = [];

	site = await Site.start({ ROWCAST_RETRY_MS: '300' });
	copyPage();
	page = await browser.newPage();
	page.setDefaultTimeout(20000);
	page.on('pageerror', (e) => complaints.push(String(e)));
	await tests[process.argv[2]]();
	assert.deepEqual(complaints, []);
} finally {
	await browser.close();
	await site?.stop();
}
process.exit(); // the site still has a timer

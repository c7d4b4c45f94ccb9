// What stands behind Pushpin: it tells Pushpin to hold each request as a stream.
//
//   usage: node grip.mjs PORT

import http from "node:http";

http
	.createServer((request, response) => {
		response.writeHead(200, {
			"Content-Type": "text/event-stream",
			"Grip-Hold": "stream",
			"Grip-Channel": "bench",
		});
		response.end();
	})
	.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });

// A plain Node.js server: GET is a stream, POST sends its body to all.
//
//   usage: node node.mjs PORT

import http from "node:http";

const clients = new Set();
let id = 0;

function publish(request, response) {
	let body = "";
	request.setEncoding("utf8");
	request.on("data", (text) => (body += text));
	request.on("end", () => {
		const event = `id: ${++id}\ndata: ${body}\n\n`;
		for (const client of clients) client.write(event);
		response.writeHead(204).end();
	});
}

function subscribe(request, response) {
	response.writeHead(200, {
		"Content-Type": "text/event-stream",
		"Cache-Control": "no-cache",
	});
	response.flushHeaders();
	clients.add(response);
	request.on("close", () => clients.delete(response));
}

http
	.createServer((request, response) => {
		if (request.method === "POST") publish(request, response);
		else subscribe(request, response);
	})
	.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });

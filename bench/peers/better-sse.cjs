// better-sse: GET is a session of one channel, POST broadcasts its body.
//
//   usage: node better-sse.cjs PORT      (NODE_PATH says where better-sse is)

const http = require("node:http");
const { createSession, createChannel } = require("better-sse");

const channel = createChannel();

function publish(request, response) {
	let body = "";
	request.setEncoding("utf8");
	request.on("data", (text) => (body += text));
	request.on("end", () => {
		channel.broadcast(body, "message");
		response.writeHead(204).end();
	});
}

async function subscribe(request, response) {
	// The text as it is: the others do not make JSON of it either.
	channel.register(
		await createSession(request, response, { serializer: String }),
	);
}

http
	.createServer((request, response) => {
		if (request.method === "POST") publish(request, response);
		else subscribe(request, response);
	})
	.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 4096 });

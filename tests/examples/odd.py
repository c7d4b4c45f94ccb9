"""odd.py: a server of streams with odd numbers and ids.

Prints its address, and what each request sent as Last-Event-ID.
"""
import http.server

STREAM = (b"retry: 1\nid: 5\ndata: one\n\n"
          b"retry: " + b"9" * 5000 + b"\nid: 6\rX: y\ndata: two\n\n"
          b"retry: \xd9\xa3\nid: \xe2\x82\xac\ndata: three\n\n"
          b"retry: -1\nid: a b\ndata: four\n\n")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if "Last-Event-ID" in self.headers:
            print("Last-Event-ID:", self.headers["Last-Event-ID"], flush=True)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(STREAM)


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(f"http://127.0.0.1:{server.server_port}/", flush=True)
server.serve_forever()

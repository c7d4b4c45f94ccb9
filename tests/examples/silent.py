"""silent.py: a server of streams that stop without an end.

    silent.py N

Prints its address.  Each of the first N requests gets one event and then
nothing more, on a connection that stays open; what it sent as Last-Event-ID is
printed.  Further requests get no answer at all.
"""
import socket
import sys

server = socket.create_server(("127.0.0.1", 0))
print(f"http://127.0.0.1:{server.getsockname()[1]}/", flush=True)
clients = []
while True:
    client = server.accept()[0]
    clients.append(client)
    if len(clients) > int(sys.argv[1]):
        continue
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(4096)
    for line in head.decode().split("\r\n"):
        if line.lower().startswith("last-event-id"):
            print("Last-Event-ID:", line.split(": ")[1], flush=True)
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                   b"\r\nretry: 10\nid: %d\ndata: x\n\n" % len(clients))

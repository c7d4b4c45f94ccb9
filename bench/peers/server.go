// A plain Go server: GET is a stream, with a goroutine that waits at a channel
// of its own; POST sends its body to all.
//
//	usage: server PORT
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sync"
)

// Events that may wait for one client; then publishing waits for it.
const queue = 64

type hub struct {
	sync.Mutex
	clients map[chan []byte]bool
	id      int
}

func (h *hub) publish(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	h.Lock()
	h.id++
	event := []byte(fmt.Sprintf("id: %d\ndata: %s\n\n", h.id, body))
	for c := range h.clients {
		c <- event
	}
	h.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (h *hub) leave(c chan []byte) {
	// Who publishes may be waiting for this one.
	go func() {
		for range c {
		}
	}()
	h.Lock()
	delete(h.clients, c)
	h.Unlock()
	close(c)
}

func (h *hub) subscribe(w http.ResponseWriter, r *http.Request) {
	c := make(chan []byte, queue)
	h.Lock()
	h.clients[c] = true
	h.Unlock()
	defer h.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	flusher := w.(http.Flusher)
	flusher.Flush()
	for {
		select {
		case event := <-c:
			if _, err := w.Write(event); err != nil {
				return
			}
			flusher.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func main() {
	h := &hub{clients: map[chan []byte]bool{}}
	http.HandleFunc("/events", h.subscribe)
	http.HandleFunc("/publish", h.publish)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}

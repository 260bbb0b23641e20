// SPDX-License-Identifier: Apache-2.0

// An ordinary net/http server: what the tests watch. It knows nothing of who watches it; what
// it served itself it tells on a second address (-admin), for the tests to compare.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var served sync.Map // "METHOD PATH STATUS" -> *int64

// Remembers the status a handler wrote.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if status >= 200 || status == 101 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Flush() { r.ResponseWriter.(http.Flusher).Flush() }

func counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w, status: 200}
		next.ServeHTTP(rec, r)
		key := r.Method + " " + r.URL.Path + " " + strconv.Itoa(rec.status)
		n, _ := served.LoadOrStore(key, new(int64))
		atomic.AddInt64(n.(*int64), 1)
	})
}

func number(r *http.Request, key string, otherwise int) int {
	n, err := strconv.Atoi(r.URL.Query().Get(key))
	if err != nil {
		return otherwise
	}
	return n
}

func hello(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, "Hello, world!\n")
}

func slow(w http.ResponseWriter, r *http.Request) {
	time.Sleep(time.Duration(number(r, "ms", 100)) * time.Millisecond)
	io.WriteString(w, "slow\n")
}

func status(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(number(r, "code", 200))
}

// n bytes with a Content-Length.
func sized(w http.ResponseWriter, r *http.Request) {
	n := number(r, "n", 1000)
	w.Header().Set("Content-Length", strconv.Itoa(n))
	block := make([]byte, 64<<10)
	for n > 0 {
		part := len(block)
		if n < part {
			part = n
		}
		if _, err := w.Write(block[:part]); err != nil {
			return
		}
		n -= part
	}
}

// n chunks of 10 bytes, each flushed; `ms` between them.
func chunked(w http.ResponseWriter, r *http.Request) {
	for i := number(r, "n", 3); i > 0; i-- {
		io.WriteString(w, "0123456789")
		w.(http.Flusher).Flush()
		time.Sleep(time.Duration(number(r, "ms", 0)) * time.Millisecond)
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	n, _ := io.Copy(io.Discard, r.Body)
	fmt.Fprintf(w, "%d\n", n)
}

// Goes over to another protocol and sends every byte back until the peer leaves.
func upgrade(w http.ResponseWriter, r *http.Request) {
	conn, buf, err := w.(*recorder).ResponseWriter.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	w.(*recorder).status = 101
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	io.Copy(conn, buf)
}

func listen(address string) net.Listener {
	network := "tcp"
	if strings.HasPrefix(address, "unix:") {
		network, address = "unix", address[5:]
	}
	l, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	return l
}

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address to serve on, or unix:PATH")
	admin := flag.String("admin", "", "address that tells what was served")
	flag.Parse()

	mux := http.NewServeMux()
	for path, handler := range map[string]http.HandlerFunc{
		"/": hello, "/slow": slow, "/status": status, "/sized": sized,
		"/chunked": chunked, "/echo": echo, "/upgrade": upgrade,
	} {
		mux.HandleFunc(path, handler)
	}
	if *admin != "" {
		tell := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			counts := map[string]int64{}
			served.Range(func(k, v any) bool {
				counts[k.(string)] = atomic.LoadInt64(v.(*int64))
				return true
			})
			json.NewEncoder(w).Encode(counts)
		})
		go http.Serve(listen(*admin), tell)
	}
	l := listen(*address)
	fmt.Fprintln(os.Stdout, "listening on", l.Addr())
	log.Fatal(http.Serve(l, counted(mux)))
}

// SPDX-License-Identifier: Apache-2.0

// load makes exactly -n GET requests over -c connections and reads every answer to its last byte:
// not one more and not one less, so that a count of them can be compared exactly. It ends with one
// JSON object on stdout: requests, answers by status, seconds, and the percentiles of what the
// client saw, in nanoseconds from the write of the request to the last byte of its answer.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type worker struct {
	address   string
	request   []byte
	keepalive bool
	interval  time.Duration // between the starts of two requests; 0: as fast as answers come
	conn      net.Conn
	reader    *bufio.Reader
	latencies []int64
	statuses  map[int]int
}

func (w *worker) connect() error {
	conn, err := net.Dial("tcp", w.address)
	if err != nil {
		return err
	}
	w.conn = conn
	w.reader = bufio.NewReaderSize(conn, 16<<10)
	return nil
}

// head reads up to the empty line; length is -1 for an answer that ends with the connection.
func (w *worker) head() (status, length int, err error) {
	line, err := w.reader.ReadSlice('\n')
	if err != nil {
		return 0, 0, err
	}
	if len(line) < 12 {
		return 0, 0, fmt.Errorf("not a status line: %q", line)
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, 0, err
	}
	length = -1
	for {
		if line, err = w.reader.ReadSlice('\n'); err != nil {
			return 0, 0, err
		}
		if len(line) <= 2 {
			return status, length, nil
		}
		if len(line) > 15 && bytes.EqualFold(line[:15], []byte("Content-Length:")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[15:]))); err != nil {
				return 0, 0, err
			}
		}
	}
}

func (w *worker) once() error {
	start := time.Now()
	if w.conn == nil {
		if err := w.connect(); err != nil {
			return err
		}
	}
	if _, err := w.conn.Write(w.request); err != nil {
		return err
	}
	status, length, err := w.head()
	if err != nil {
		return err
	}
	if length >= 0 {
		_, err = io.CopyN(io.Discard, w.reader, int64(length))
	} else {
		_, err = io.Copy(io.Discard, w.reader)
	}
	if err != nil {
		return err
	}
	w.latencies = append(w.latencies, int64(time.Since(start)))
	w.statuses[status]++
	if !w.keepalive || length < 0 {
		io.Copy(io.Discard, w.reader) // the server closes first: TIME_WAIT takes none of our ports
		w.conn.Close()
		w.conn = nil
	}
	return nil
}

// Takes requests from the common number until it is used up.
func (w *worker) run(left *int64) error {
	next := time.Now()
	for atomic.AddInt64(left, -1) >= 0 {
		if w.interval > 0 {
			time.Sleep(time.Until(next))
			next = next.Add(w.interval)
		}
		if err := w.once(); err != nil {
			return err
		}
	}
	if w.conn != nil {
		w.conn.Close()
	}
	return nil
}

type report struct {
	Requests int              `json:"requests"`
	Statuses map[int]int      `json:"statuses"`
	Seconds  float64          `json:"seconds"`
	Latency  map[string]int64 `json:"latency_ns"`
}

func summary(workers []*worker, seconds float64) report {
	r := report{Statuses: map[int]int{}, Seconds: seconds, Latency: map[string]int64{}}
	var all []int64
	for _, w := range workers {
		all = append(all, w.latencies...)
		for status, n := range w.statuses {
			r.Statuses[status] += n
		}
	}
	r.Requests = len(all)
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	for name, q := range map[string]float64{"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99} {
		if len(all) > 0 {
			r.Latency[name] = all[int(q*float64(len(all)-1))]
		}
	}
	return r
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "load:", err)
	os.Exit(1)
}

func main() {
	n := flag.Int64("n", 1000, "requests, exactly")
	c := flag.Int("c", 16, "connections")
	keepalive := flag.Bool("keepalive", true, "false: one connection a request")
	rate := flag.Float64("rate", 0, "requests/s over all connections; 0: as fast as answers come")
	flag.Parse()
	target, err := url.Parse(flag.Arg(0))
	if err != nil {
		fail(err)
	}
	connection := "keep-alive"
	if !*keepalive {
		connection = "close"
	}
	request := []byte("GET " + target.RequestURI() + " HTTP/1.1\r\nHost: " + target.Host + "\r\nConnection: " + connection + "\r\n\r\n")

	left := *n
	workers := make([]*worker, *c)
	errors := make([]error, *c)
	var wait sync.WaitGroup
	start := time.Now()
	for i := range workers {
		w := &worker{address: target.Host, request: request, keepalive: *keepalive, statuses: map[int]int{}}
		w.latencies = make([]int64, 0, *n/int64(*c)+1)
		if *rate > 0 {
			w.interval = time.Duration(float64(*c) / *rate * 1e9)
		}
		workers[i] = w
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			errors[i] = workers[i].run(&left)
		}(i)
	}
	wait.Wait()
	for _, err := range errors {
		if err != nil {
			fail(err)
		}
	}
	json.NewEncoder(os.Stdout).Encode(summary(workers, time.Since(start).Seconds()))
}

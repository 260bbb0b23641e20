// SPDX-License-Identifier: Apache-2.0

// The demo's load: a bounded mix of requests, and its own count of them as one line of JSON at the
// end. It ends after -requests, after -seconds, or on SIGINT or SIGTERM; requests already begun
// are finished and counted in every case. A request counts when its response was read to its end.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"os/signal"
	"sort"
	"sync"
	"syscall"
	"time"
)

// One kind of request of the mix.
type kind struct {
	route  string // as a person would name it; key of the counts
	share  int    // of 100
	path   func() string
	status int
}

func fixed(path string) func() string { return func() string { return path } }

var mix = []kind{
	{"/", 60, fixed("/"), 200},
	{"/users/{id}", 31, func() string { return fmt.Sprintf("/users/%d", rand.Intn(100_000)) }, 200},
	{"/slow", 5, fixed("/slow"), 200},
	{"/fail", 4, fixed("/fail"), 500},
}

type report struct {
	Requests int            `json:"requests"` // answered as expected
	Failed   int            `json:"failed"`   // not answered, or otherwise than expected
	Seconds  float64        `json:"seconds"`
	P50      float64        `json:"p50_ms"` // as seen by the client
	P99      float64        `json:"p99_ms"`
	Routes   map[string]int `json:"routes"`
	Error    string         `json:"error,omitempty"` // the first one
}

const durationsMax = 100_000 // the latest so many make the percentiles

type load struct {
	base        string
	kept, fresh *http.Client
	freshShare  float64

	mu       sync.Mutex
	report   report
	duration []float64 // ms
}

func pick(mix []kind) kind {
	n := rand.Intn(100)
	for _, k := range mix {
		if n -= k.share; n < 0 {
			return k
		}
	}
	return mix[0]
}

func get(client *http.Client, url string, want int) error {
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err = io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	if response.StatusCode != want {
		return fmt.Errorf("%s: status %d, expected %d", url, response.StatusCode, want)
	}
	return nil
}

func (l *load) request(k kind) {
	client := l.kept
	if rand.Float64() < l.freshShare {
		client = l.fresh
	}
	start := time.Now()
	err := get(client, l.base+k.path(), k.status)
	took := time.Since(start)

	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.report.Failed++
		if l.report.Error == "" {
			l.report.Error = err.Error()
		}
		return
	}
	l.report.Requests++
	l.report.Routes[k.route]++
	ms := float64(took.Microseconds()) / 1000
	if len(l.duration) < durationsMax {
		l.duration = append(l.duration, ms)
	} else {
		l.duration[l.report.Requests%durationsMax] = ms
	}
}

// Hands out at most `requests` turns (0: no limit), `rate` a second, until `done`.
func turns(done <-chan struct{}, requests int, rate float64) <-chan struct{} {
	turn := make(chan struct{})
	go func() {
		defer close(turn)
		tick := time.NewTicker(time.Duration(float64(time.Second) / rate))
		defer tick.Stop()
		for n := 0; requests == 0 || n < requests; n++ {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			select {
			case <-done:
				return
			case turn <- struct{}{}:
			}
		}
	}()
	return turn
}

func (l *load) run(turn <-chan struct{}, workers int, mix []kind) {
	var all sync.WaitGroup
	for i := 0; i < workers; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for range turn {
				l.request(pick(mix))
			}
		}()
	}
	all.Wait()
}

func (l *load) finish(start time.Time) report {
	sort.Float64s(l.duration)
	if n := len(l.duration); n > 0 {
		l.report.P50, l.report.P99 = l.duration[n/2], l.duration[n*99/100]
	}
	l.report.Seconds = time.Since(start).Seconds()
	return l.report
}

func client(workers int, keep bool) *http.Client {
	return &http.Client{
		Timeout: 10 * time.Second,
		Transport: &http.Transport{
			MaxIdleConnsPerHost: workers,
			IdleConnTimeout:     time.Minute,
			DisableKeepAlives:   !keep,
		},
	}
}

func main() {
	seconds := flag.Float64("seconds", 0, "end after this time; 0: no limit")
	requests := flag.Int("requests", 0, "end after this many requests; 0: no limit")
	rate := flag.Float64("rate", 200, "requests a second")
	workers := flag.Int("connections", 8, "requests at a time")
	freshShare := flag.Float64("new", 0.1, "share of requests on a connection of their own")
	path := flag.String("path", "", "this path only, instead of the mix")
	flag.Parse()
	if flag.NArg() != 1 || *rate <= 0 || *workers <= 0 {
		fmt.Fprintln(os.Stderr, "usage: load [-seconds S] [-requests N] [-rate R] [-path PATH] http://ADDR:PORT")
		os.Exit(2)
	}
	if *path != "" {
		mix = []kind{{*path, 100, fixed(*path), 200}}
	}
	rand.Seed(time.Now().UnixNano())

	done, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if *seconds > 0 {
		var cancel context.CancelFunc
		done, cancel = context.WithTimeout(done, time.Duration(*seconds*float64(time.Second)))
		defer cancel()
	}

	fmt.Fprintln(os.Stderr, "running") // from here on a signal means: finish and report
	start := time.Now()
	l := load{base: flag.Arg(0), kept: client(*workers, true), fresh: client(*workers, false), freshShare: *freshShare}
	l.report.Routes = map[string]int{}
	l.run(turns(done.Done(), *requests, *rate), *workers, mix)
	result := l.finish(start)
	json.NewEncoder(os.Stdout).Encode(result)
	if result.Failed > 0 {
		os.Exit(1)
	}
}

// SPDX-License-Identifier: Apache-2.0

// sink is the cheapest OTLP/HTTP endpoint there is: it reads each request to its end, throws it away
// and answers 200. What it costs is not the agent's. At SIGTERM it tells requests and bytes.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

func main() {
	var requests, received int64
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		atomic.AddInt64(&requests, 1)
		atomic.AddInt64(&received, n)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	<-ended
	fmt.Println(atomic.LoadInt64(&requests), atomic.LoadInt64(&received))
}

// SPDX-License-Identifier: Apache-2.0

// The demo's service: an ordinary Go server that knows nothing of Sonde and has no instrumentation
// of any kind. Usage: hello [ADDR:PORT]
package main

import (
	"fmt"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

func hello(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	fmt.Fprintln(w, "Hello, world!")
}

func user(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/users/")
	if id == "" || strings.Contains(id, "/") {
		http.NotFound(w, r)
		return
	}
	fmt.Fprintf(w, "Hello, user %s!\n", id)
}

// Takes 80 to 120 ms.
func slow(w http.ResponseWriter, r *http.Request) {
	time.Sleep(80*time.Millisecond + time.Duration(rand.Intn(40_000))*time.Microsecond)
	fmt.Fprintln(w, "Hello at last, world!")
}

func fail(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "this route always fails", http.StatusInternalServerError)
}

func main() {
	address := ":8080"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	http.HandleFunc("/", hello)
	http.HandleFunc("/users/", user)
	http.HandleFunc("/slow", slow)
	http.HandleFunc("/fail", fail)
	http.HandleFunc("/ready", func(w http.ResponseWriter, r *http.Request) {})

	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}

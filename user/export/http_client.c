/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl asks for descriptors to be watched and for one timer; both go into an epoll descriptor of
 * our own, which is one source in the export thread's loop. Used by otlp_lane.c.
 */
#include "export/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"

#define EVENTS 16
#define ANSWER_MAX (64u << 10)		/* bytes */
#define RECEIVE_BYTES (16l << 10)	/* curl's buffer, for short answers */
#define RETRY_AFTER_MAX_S 300

struct http_client {
	struct loop *loop;
	CURLM *multi;
	int epoll_fd, timer_fd;		/* the timer is in the epoll */
};

struct http_call {
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	struct buf answer;
	char error[CURL_ERROR_SIZE];
	char reason[CURL_ERROR_SIZE + 64];
	uint64_t timeout_ns;
	http_done done;
	void *context;
	bool sending;
};

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *context, void *of_socket)
{
	struct http_client *client = context;
	struct epoll_event event = { .data.fd = fd };

	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(client->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	if (epoll_ctl(client->epoll_fd, EPOLL_CTL_MOD, fd, &event) < 0)
		epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, fd, &event);
	return 0;
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *context)
{
	struct http_client *client = context;
	struct itimerspec when = { 0 };			/* -1: disarms */

	if (timeout_ms == 0)
		when.it_value.tv_nsec = 1;
	if (timeout_ms > 0) {
		when.it_value.tv_sec = timeout_ms / 1000;
		when.it_value.tv_nsec = timeout_ms % 1000 * 1000000;
	}
	return timerfd_settime(client->timer_fd, 0, &when, NULL);
}

static size_t on_answer(char *at, size_t size, size_t count, void *context)
{
	struct http_call *call = context;
	size_t len = size * count;

	/* what is too much is read and forgotten: the status still counts */
	buf_add(&call->answer, at, MIN(len, call->answer.max - call->answer.len));
	return len;
}

/* In the words of the system where there are some: "Connection refused". */
static const char *reason_of(struct http_call *call, CURLcode code)
{
	long os_error = 0;

	curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_error);
	if (code == CURLE_OPERATION_TIMEDOUT)
		snprintf(call->reason, sizeof(call->reason), "no answer within %.3g s",
			 (double)call->timeout_ns / NSEC_PER_SEC);
	else if (code == CURLE_COULDNT_CONNECT && os_error)
		snprintf(call->reason, sizeof(call->reason), "%s", strerror((int)os_error));
	else
		snprintf(call->reason, sizeof(call->reason), "%s",
			 call->error[0] ? call->error : curl_easy_strerror(code));
	return call->reason;
}

static void finish(struct http_call *call, CURLcode code)
{
	struct http_result result = { .body = buf_bytes(&call->answer) };
	curl_off_t retry_after = 0;

	curl_multi_remove_handle(call->client->multi, call->easy);
	call->sending = false;
	if (code == CURLE_OK) {
		curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &result.status);
		curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after);
		retry_after = MIN(MAX(retry_after, 0), RETRY_AFTER_MAX_S);
		result.retry_after_ns = retry_after * NSEC_PER_SEC;
	} else {
		result.error = reason_of(call, code);
	}
	call->done(call->context, &result);
}

static void finish_done(struct http_client *client)
{
	struct http_call *call;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		finish(call, message->data.result);
	}
}

static void act(struct http_client *client, const struct epoll_event *event)
{
	int running, what = 0;
	uint64_t expirations;

	if (event->data.fd == client->timer_fd) {
		if (read(client->timer_fd, &expirations, sizeof(expirations)) < 0)
			return;			/* set anew since */
		curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
		return;
	}
	what |= event->events & EPOLLIN ? CURL_CSELECT_IN : 0;
	what |= event->events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
	what |= event->events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
	curl_multi_socket_action(client->multi, event->data.fd, what, &running);
}

static void on_ready(void *context, int fd)
{
	struct http_client *client = context;
	struct epoll_event events[EVENTS];
	int ready = epoll_wait(client->epoll_fd, events, EVENTS, 0);

	for (int i = 0; i < ready; i++)
		act(client, &events[i]);
	finish_done(client);
}

static int open_descriptors(struct http_client *client)
{
	struct epoll_event event = { .events = EPOLLIN };

	client->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (client->epoll_fd < 0)
		return -errno;
	client->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (client->timer_fd < 0)
		return -errno;
	event.data.fd = client->timer_fd;
	if (epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, client->timer_fd, &event) < 0)
		return -errno;
	return loop_add(client->loop, client->epoll_fd, on_ready, client);
}

int http_client_open(struct loop *loop, struct http_client **ret_client)
{
	struct http_client *client = calloc(1, sizeof(*client));
	int r = -ENOMEM;

	if (!client)
		return r;
	*client = (struct http_client){ .loop = loop, .epoll_fd = -1, .timer_fd = -1 };
	/* here and not at the start of the agent: it takes memory that most agents do not need */
	if (!curl_global_init(CURL_GLOBAL_DEFAULT)) {
		client->multi = curl_multi_init();
		if (!client->multi)
			curl_global_cleanup();
	}
	if (client->multi)
		r = open_descriptors(client);
	if (r < 0) {
		http_client_close(client);
		return r;
	}
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, 4l);
	*ret_client = client;
	return 0;
}

void http_client_close(struct http_client *client)
{
	if (!client)
		return;
	loop_remove(client->loop, client->epoll_fd);
	if (client->multi) {
		curl_multi_cleanup(client->multi);
		curl_global_cleanup();
	}
	closep(&client->timer_fd);
	closep(&client->epoll_fd);
	free(client);
}

static int add_header(struct http_call *call, const char *name, const char *value)
{
	_cleanup_(freep) char *line = NULL;
	struct curl_slist *longer;

	if (asprintf(&line, "%s:%s%s", name, value[0] ? " " : "", value) < 0) {
		line = NULL;
		return -ENOMEM;
	}
	longer = curl_slist_append(call->headers, line);
	if (!longer)
		return -ENOMEM;
	call->headers = longer;
	return 0;
}

static int add_headers(struct http_call *call, const struct http_call_options *options)
{
	int r = add_header(call, "Content-Type", options->content_type);

	if (!r)
		r = add_header(call, "Expect", "");	/* do not wait for 100 Continue */
	if (!r && options->gzip)
		r = add_header(call, "Content-Encoding", "gzip");
	for (unsigned i = 0; options->headers && i < options->headers->count && !r; i++) {
		_cleanup_(freep) char *name = strdup(options->headers->item[i]);
		char *equals = name ? strchr(name, '=') : NULL;

		if (!equals)
			continue;
		*equals = '\0';
		r = add_header(call, name, equals + 1);
	}
	return r;
}

static void only_http(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500	/* 7.85 */
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void set_options(struct http_call *call, const struct http_call_options *options)
{
	CURL *easy = call->easy;

	only_http(easy);
	curl_easy_setopt(easy, CURLOPT_URL, options->url);
	curl_easy_setopt(easy, CURLOPT_POST, 1l);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "Sonde/" SONDE_VERSION);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1l);		/* threads */
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1l);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			 (long)MAX(options->timeout_ns / NSEC_PER_MSEC, 1ull));
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	if (options->certificate)
		curl_easy_setopt(easy, CURLOPT_CAINFO, options->certificate);
}

int http_call_new(struct http_client *client, const struct http_call_options *options,
		  struct http_call **ret_call)
{
	struct http_call *call = calloc(1, sizeof(*call));

	if (!call)
		return -ENOMEM;
	call->client = client;
	call->timeout_ns = options->timeout_ns;
	call->done = options->done;
	call->context = options->context;
	buf_init(&call->answer, ANSWER_MAX);
	call->easy = curl_easy_init();
	if (!call->easy || add_headers(call, options) < 0) {
		http_call_free(call);
		return -ENOMEM;
	}
	set_options(call, options);
	*ret_call = call;
	return 0;
}

int http_call_send(struct http_call *call, struct bytes body)
{
	if (call->sending)
		return -EBUSY;
	buf_reset(&call->answer);
	call->error[0] = '\0';
	curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, body.at);
	curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	if (curl_multi_add_handle(call->client->multi, call->easy) != CURLM_OK)
		return -ENOMEM;
	call->sending = true;
	return 0;
}

void http_call_free(struct http_call *call)
{
	if (!call)
		return;
	if (call->sending)
		curl_multi_remove_handle(call->client->multi, call->easy);
	if (call->easy)
		curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	buf_done(&call->answer);
	free(call);
}

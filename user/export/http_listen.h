/* SPDX-License-Identifier: Apache-2.0 */
/* The socket behind `--listen`. */
#ifndef SONDE_EXPORT_HTTP_LISTEN_H
#define SONDE_EXPORT_HTTP_LISTEN_H

/*
 * Returns a listening socket (non-blocking, close-on-exec), or -errno, logged with cause and
 * cure. `listen` as for http_server_open().
 */
int http_listen(const char *listen);

#endif

// SPDX-License-Identifier: Apache-2.0
// An ordinary Node server: node web.js PORT. The same routes as the other servers of the tests.
'use strict';
const http = require('http');

const routes = {
	'/': (req, res) => res.end('Hello, world!\n'),
	'/slow': (req, res, query) => setTimeout(() => res.end('slow\n'), Number(query.get('ms') || 100)),
	'/status': (req, res, query) => { res.statusCode = Number(query.get('code') || 200); res.end(); },
	'/sized': (req, res, query) => res.end(Buffer.alloc(Number(query.get('n') || 1000))),
	'/chunked': (req, res, query) => {
		for (let i = Number(query.get('n') || 3); i > 0; i--)
			res.write('0123456789');
		res.end();
	},
	'/echo': (req, res) => {
		let n = 0;
		req.on('data', (part) => { n += part.length; });
		req.on('end', () => res.end(n + '\n'));
	},
};

http.createServer((req, res) => {
	const url = new URL(req.url, 'http://x');
	const route = routes[url.pathname];
	if (route)
		return route(req, res, url.searchParams);
	res.statusCode = 404;
	res.end();
}).listen(Number(process.argv[2]), '127.0.0.1');

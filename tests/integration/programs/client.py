# SPDX-License-Identifier: Apache-2.0
"""A client to be watched: client.py URL COUNT http.client|urllib. Prints how many answers it got."""
import http.client
import sys
import urllib.parse
import urllib.request

url, count, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
got = 0
if how == "urllib":
    for _ in range(count):
        with urllib.request.urlopen(url) as response:
            response.read()
            got += response.status == 200
else:
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    for _ in range(count):
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        response.read()
        got += response.status == 200
print(got)

-- SPDX-License-Identifier: Apache-2.0
-- wrk's own count, one line: requests answered, then errors by kind.
done = function(summary, latency, requests)
	local e = summary.errors
	io.write(string.format("counted %d %d %d %d %d %d\n", summary.requests, e.connect, e.read, e.write, e.status, e.timeout))
end

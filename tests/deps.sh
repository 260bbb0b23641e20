#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# deps.sh: the packages the tests need beside those Sonde is built with (deploy/deps.sh).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

packages=(libcmocka-dev wrk 'nginx-light|nginx' apache2 gunicorn nodejs python3 curl prometheus protobuf-compiler
	iproute2 util-linux)
command -v go >/dev/null || packages+=(golang-go)
"$here/../deploy/deps.sh" "${packages[@]}"

# clang's runtime for fuzzers is a package of its own, named after clang's version
if ! compgen -G "$(clang -print-resource-dir)/lib/*/libclang_rt.fuzzer*.a" >/dev/null; then
	version=$(clang -dumpversion)
	"$here/../deploy/deps.sh" "libclang-rt-${version%%.*}-dev"
fi

#!/usr/bin/env bash
# Installs the published archiver, which the tests of this directory run, with Node and npm (and a C++ compiler, where
# SQLite has no prebuilt binary for this machine).
#
#   test/published-archiver/install.sh [<directory>]
#
# The directory is $PUBLISHED_ARCHIVER, or one in the user's cache, which outlives `npm ci`. Ends with status 75 where the
# download failed, which says nothing about the code under test.
set -uo pipefail

cache="${XDG_CACHE_HOME:-$HOME/.cache}/snapshot-assemble"
directory="${1:-${PUBLISHED_ARCHIVER:-$cache/published-archiver-3.7.7}}"
package="$directory/node_modules/@shardeum-foundation/archiver/package.json"
binding="$directory/node_modules/sqlite3/build/Release/node_sqlite3.node"

if [ -f "$package" ] && [ -f "$binding" ]; then
  echo "the published archiver is installed in $directory"
  exit 0
fi

mkdir -p "$directory" || exit 1
cd "$directory" || exit 1
[ -f package.json ] || echo '{"private": true}' > package.json
# Its own install scripts build native code that is not needed here (a stub stands in for lib-net).
if ! npm install --ignore-scripts --no-audit --no-fund @shardeum-foundation/archiver@3.7.7 socket.io@2.5.0; then
  echo "the download of the published archiver failed" >&2
  exit 75
fi
if ! npm rebuild sqlite3 || [ ! -f "$binding" ]; then
  echo "sqlite3 could not be built in $directory" >&2
  exit 1
fi
echo "the published archiver is installed in $directory"

#!/usr/bin/env bash
# openssl's client against examples/tls.cfg on 127.0.0.1:5061.
#
#   tests/clients/tls.sh target/release/kcc
#
# Makes the certificates that it needs. Prints a line `ok …` for each step that passed; the first
# that fails ends it with code 1 and the end of the server's log.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -eq 1 ] || { echo "usage: $0 KCC" >&2; exit 2; }
kcc=$(realpath "$1")
work=$(mktemp -d)
log=$work/server.log
server_pid=
open_pid=

finish() {
    local code=$?
    trap - EXIT
    [ "$code" -eq 0 ] || { echo "--- the end of the server's log" >&2; tail -n 20 "$log" >&2; }
    [ -z "$open_pid" ] || kill "$open_pid" 2>/dev/null || true
    if [ -n "$server_pid" ]; then
        kill -TERM "$server_pid" 2>/dev/null || true
        timeout 5 tail --pid="$server_pid" -s 0.05 -f /dev/null || kill -KILL "$server_pid" || true
    fi
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT

ok() { echo "ok $*"; }
fail() { echo "failed: $*" >&2; exit 1; }

certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=$1" \
        -keyout "$work/server.key" -out "$work/server.pem" 2>"$work/openssl" </dev/null ||
        fail "openssl req"
}

# request METHOD USER CSEQ HEADER…
request() {
    local method=$1 user=$2 cseq=$3
    shift 3
    printf '%s\r\n' "$method sip:127.0.0.1:5061;transport=tls SIP/2.0" \
        "Via: SIP/2.0/TLS 127.0.0.1:5099;branch=z9hG4bK-$user-$cseq" "Max-Forwards: 70" \
        "From: <sip:$user@127.0.0.1>;tag=$cseq" "To: <sip:$user@127.0.0.1>" \
        "Call-ID: $user-$cseq" "CSeq: $cseq $method" "$@" "Content-Length: 0" ""
}

# exchange PATTERN ARGUMENT…: sends standard input over a connection of its own, waits for PATTERN.
exchange() {
    local pattern=$1
    shift
    { cat; sleep 1; } | timeout 10 openssl s_client -connect 127.0.0.1:5061 -quiet "$@" \
        >"$work/answer" 2>"$work/client" || true
    grep -q "$pattern" "$work/answer"
}

# What it is that a new connection is shown.
shown() {
    openssl s_client -connect 127.0.0.1:5061 </dev/null 2>/dev/null |
        openssl x509 -noout -subject 2>/dev/null
}

wait_for() {
    local end=$((SECONDS + $1)) file=$2 pattern=$3
    until grep -q "$pattern" "$file"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

certificate one.example
cp "$root/examples/tls.cfg" "$root/examples/registrar.cfg" "$work"
"$kcc" run "$work/tls.cfg" >"$work/stdout" 2>"$log" </dev/null &
server_pid=$!
wait_for 20 "$work/stdout" 'listening on tls:127.0.0.1:5061' || fail "it does not serve"
ok "serves examples/tls.cfg"

for version in -tls1_2 -tls1_3; do
    request OPTIONS probe 1 | exchange '^SIP/2.0 200' "$version" || fail "OPTIONS with $version"
    ok "OPTIONS over TLS with $version gets 200"
done
request OPTIONS probe 2 | exchange SIP -tls1_1 && fail "TLS 1.1 is spoken"
ok "TLS 1.1 is not spoken"

request REGISTER alice 1 "Contact: <sip:alice@127.0.0.1:5099;transport=tls>" |
    exchange '^Contact: <sip:alice@127.0.0.1:5099;transport=tls>;expires=3600' ||
    fail "REGISTER over TLS"
ok "REGISTER over TLS gets 200 with its contact"

# A client that says nothing, and one that begins a handshake and stops.
exec {silent}<>/dev/tcp/127.0.0.1/5061 {half}<>/dev/tcp/127.0.0.1/5061
printf '\x16\x03\x01\x02\x00\x01\x00' >&"$half"
request OPTIONS probe 3 | exchange '^SIP/2.0 200' || fail "OPTIONS beside unfinished handshakes"
ok "unfinished handshakes keep nobody waiting"
for connection in "$silent" "$half"; do
    timeout 15 cat <&"$connection" >/dev/null || fail "an unfinished handshake is not cut"
done
exec {silent}>&- {half}>&-
ok "unfinished handshakes are cut"

# An open connection stays when the certificate changes.
mkfifo "$work/input"
openssl s_client -connect 127.0.0.1:5061 -quiet <"$work/input" >"$work/open" 2>/dev/null &
open_pid=$!
exec {input}>"$work/input"
request OPTIONS open 1 >&"$input"
wait_for 5 "$work/open" 'CSeq: 1 OPTIONS' || fail "OPTIONS over the connection that stays"
shown | grep -q 'one.example' || fail "not the first certificate"
certificate two.example
kill -HUP "$server_pid"
end=$((SECONDS + 5))
until shown | grep -q 'two.example'; do
    [ "$SECONDS" -lt "$end" ] || fail "SIGHUP does not change the certificate"
    sleep 0.1
done
request OPTIONS open 2 >&"$input"
wait_for 5 "$work/open" 'CSeq: 2 OPTIONS' || fail "the open connection did not stay"
ok "SIGHUP changes the certificate; an open connection stays"
kill "$open_pid"
open_pid=

kill -TERM "$server_pid"
code=0
wait "$server_pid" || code=$?
server_pid=
[ "$code" -eq 0 ] || fail "exit code $code after SIGTERM"
grep -q panicked "$log" && fail "a panic in the log"
ok "ends on SIGTERM with code 0 and no panic"

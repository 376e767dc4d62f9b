#!/usr/bin/env bash
# Real SIP clients against a server that has examples/registrar.cfg on 127.0.0.1:5060.
#
#   tests/clients/run.sh SERVER-COMMAND…
#   tests/clients/run.sh target/release/kcc run examples/registrar.cfg
#   tests/clients/run.sh kamailio -f examples/registrar.cfg -DD -E
#
# Needs sipp and sipsak (Debian: sip-tester, sipsak), and the load generator of this workspace
# (cargo build -p kcc-tests); LOAD names it where it is not in target/release or target/debug.
# Prints a line `ok …` for each step that passed; the first that fails ends it with code 1 and the
# end of the server's log.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -gt 0 ] || { echo "usage: $0 SERVER-COMMAND…" >&2; exit 2; }

server=127.0.0.1:5060
uas_port=5070
uac_port=5080
users=1000
work=$(mktemp -d)
log=$work/server.log
server_pid=

finish() {
    local code=$?
    trap - EXIT
    if [ "$code" -ne 0 ] && [ -f "$log" ]; then
        echo "--- the end of the server's log" >&2
        tail -n 30 "$log" >&2
        for file in "$work"/*.errors; do
            [ -s "$file" ] && { echo "--- ${file##*/}" >&2; head -c 2000 "$file" >&2; }
        done
    fi
    if [ -n "$server_pid" ]; then
        kill -TERM "$server_pid" 2>/dev/null || true
        timeout 5 tail --pid="$server_pid" -s 0.05 -f /dev/null || kill -KILL "$server_pid" || true
    fi
    # sipp of an unfinished step.
    jobs -p | xargs -r kill 2>/dev/null || true
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT

ok() { echo "ok $*"; }
fail() { echo "failed: $*" >&2; exit 1; }

find_load() {
    local file
    for file in "${LOAD:-}" "$root/target/release/load" "$root/target/debug/load"; do
        [ -x "$file" ] && { echo "$file"; return; }
    done
    fail "no load generator: cargo build -p kcc-tests"
}
load=$(find_load)
command -v sipp >/dev/null || fail "sipp is not installed"
command -v sipsak >/dev/null || fail "sipsak is not installed"
"$load" wait "$server" 0.2 2>/dev/null && fail "something answers on $server already"

# ---- The server -------------------------------------------------------------------------------

# kcc names its sockets when it serves; Kamailio does so before it does, and has to be asked.
start_server() {
    local line is_kcc=1
    case ${1##*/} in kamailio) [ -L "$(command -v "$1")" ] || is_kcc= ;; esac
    mkfifo "$work/stdout"
    "$@" >"$work/stdout" 2>"$log" </dev/null &
    server_pid=$!
    exec {out}<"$work/stdout"
    while [ -n "$is_kcc" ]; do
        # The first run of `cargo run` compiles.
        read -r -t "${START_LIMIT:-20}" -u "$out" line || fail "no line 'listening on udp:$server'"
        echo "$line" >>"$work/stdout.log"
        [ "$line" != "listening on udp:$server" ] || break
    done
    cat <&"$out" >>"$work/stdout.log" &
    "$load" wait "$server" 10
    ok "serves: $*"
}

stop_server() {
    kill -TERM "$server_pid"
    timeout 10 tail --pid="$server_pid" -s 0.05 -f /dev/null || fail "still there 10 s after SIGTERM"
    local code=0
    wait "$server_pid" || code=$?
    server_pid=
    [ "$code" -eq 0 ] || fail "exit code $code after SIGTERM"
    ok "ends on SIGTERM with code 0"
}

# Lines of trouble in the log so far. Kamailio says of itself that it listens on loopback only.
trouble() { grep -E 'ERROR|CRITICAL|panicked' "$log" || true; }

# ---- SIPp -------------------------------------------------------------------------------------

# sipp SCENARIO PORT ARGUMENT…: fails where a call fails.
run_sipp() {
    local scenario=$1 port=$2
    shift 2
    sipp -sf "$here/$scenario.xml" -i 127.0.0.1 -p "$port" -nostdin -timeout 60 -timeout_error \
        -trace_err -error_file "$work/$scenario-$port.errors" \
        -trace_stat -fd 3600 -stf "$work/$scenario-$port.csv" "$@" \
        >"$work/$scenario-$port.screen" 2>&1
}

# A column of the last line of sipp's statistics.
statistic() {
    awk -F';' -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) column = i }
        END { print $column }' "$work/$1.csv"
}

# check_calls NAME-PORT COUNT: as many calls, each successful.
check_calls() {
    local done_calls failed
    done_calls=$(statistic "$1" "SuccessfulCall(C)")
    failed=$(statistic "$1" "FailedCall(C)")
    [ "$done_calls" = "$2" ] || fail "$1: $done_calls successful calls, not $2"
    [ "$failed" = 0 ] || fail "$1: $failed failed calls"
}

# Starts a UAS in the background and waits until its socket is there; its id is in $uas_pid.
start_uas() {
    local protocol=$1 scenario=$2
    shift 2
    run_sipp "$scenario" "$uas_port" -t "$protocol" "$@" &
    uas_pid=$!
    local end=$((SECONDS + 10))
    until has_socket "$protocol"; do
        kill -0 "$uas_pid" 2>/dev/null || fail "$scenario ended: $(cat "$work/$scenario-$uas_port.screen")"
        [ "$SECONDS" -lt "$end" ] || fail "$scenario does not listen"
    done
}

# Whether 127.0.0.1:$uas_port is bound (UDP) or listens (TCP).
has_socket() {
    local file=/proc/net/udp
    [ "$1" = u1 ] || file=/proc/net/tcp
    grep -qi "0100007F:$(printf '%04X' "$uas_port") " "$file"
}

register() {
    local protocol=$1 count=$2 port=$3
    seq -f "user%04g;127.0.0.1:$uas_port" 1 "$count" | sed '1i SEQUENTIAL' >"$work/users.csv"
    run_sipp register "$port" "$server" -t "$protocol" -inf "$work/users.csv" -m "$count" \
        -r 500 -l 200 || fail "registering over $protocol: code $?"
    check_calls "register-$port" "$count"
}

call() {
    local protocol=$1 count=$2 rate=$3 port=$4
    start_uas "$protocol" uas -m "$count"
    run_sipp uac "$port" "$server" -t "$protocol" -inf "$work/users.csv" -m "$count" -r "$rate" \
        -l 1000 || fail "calls over $protocol: code $?"
    wait "$uas_pid" || fail "the called side over $protocol: code $?"
    check_calls "uac-$port" "$count"
    check_calls "uas-$uas_port" "$count"
}

# ---- The steps --------------------------------------------------------------------------------

start_server "$@"

sipsak -s "sip:$server" >"$work/sipsak" 2>&1 || { cat "$work/sipsak" >&2; fail "sipsak OPTIONS"; }
ok "sipsak OPTIONS gets 200"

register u1 "$users" "$uac_port"
ok "$users users registered over UDP, 0 failed"

call u1 2000 200 $((uac_port + 1))
ok "2000 calls at 200/s to registered users over UDP, record-routed, 0 failed," \
    "$(statistic "uac-$((uac_port + 1))" "Retransmissions(C)") retransmissions"

run_sipp unknown $((uac_port + 2)) "$server" -m 20 -r 50 || fail "calls to an unknown user: code $?"
check_calls "unknown-$((uac_port + 2))" 20
ok "20 calls to an unknown user get 404"

start_uas u1 cancel-uas -m 20
run_sipp cancel-uac $((uac_port + 3)) "$server" -inf "$work/users.csv" -m 20 -r 50 ||
    fail "CANCEL: code $?"
wait "$uas_pid" || fail "the cancelled side: code $?"
check_calls "cancel-uac-$((uac_port + 3))" 20
check_calls "cancel-uas-$uas_port" 20
ok "20 ringing calls are cancelled: 200 and 487"

uas_port=$((uas_port + 1))
register t1 50 $((uac_port + 4))
ok "50 users registered over TCP, 0 failed"

call t1 200 100 $((uac_port + 5))
ok "200 calls at 100/s over TCP, record-routed, 0 failed"

[ -z "$(trouble)" ] || { trouble | head -n 20 >&2; fail "errors in the log"; }
ok "no error in the log"

"$load" malformed "$server" 5000 || fail "sending malformed datagrams"
"$load" wait "$server" 5 || fail "no answer after malformed datagrams"
sipsak -s "sip:$server" >"$work/sipsak" 2>&1 || { cat "$work/sipsak" >&2; fail "sipsak OPTIONS"; }
register u1 50 $((uac_port + 6))
ok "malformed datagrams change nothing"

stop_server
grep -q panicked "$log" && fail "a panic in the log"
ok "no panic in the log"

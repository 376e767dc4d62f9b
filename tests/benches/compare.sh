#!/usr/bin/env bash
# kcc and Kamailio in turn, on this machine, with the same configuration and load: server CPU per
# OPTIONS and per record-routed call, and the time from start to the first answer. Prints Markdown.
#
#   cargo build --release --workspace && tests/benches/compare.sh
#
# ROUNDS (5), OPTIONS (200000), OUTSTANDING (64), CALLS (5000), RATE (500), CLOSED (30000: calls in a
# closed loop) and STARTS (10) change the load; KCC, LOAD and KAMAILIO name the programs. Needs sipp
# and kamailio (Debian: sip-tester, kamailio).
#
# CPU is user and system time of all of the server's processes and threads, from /proc. Server and
# client have a CPU each where there are two. A ratio is that of two neighbouring measurements.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
rounds=${ROUNDS:-5} options=${OPTIONS:-200000} outstanding=${OUTSTANDING:-64}
calls=${CALLS:-5000} rate=${RATE:-500} closed=${CLOSED:-30000} starts=${STARTS:-10}
kcc=${KCC:-target/release/kcc}
load=${LOAD:-target/release/load}
kamailio=${KAMAILIO:-kamailio}
server=127.0.0.1:5060
work=$(mktemp -d)
server_pid='' uas_pid=''

# The commands of the two servers, all but the configuration.
# Kamailio has the memory that transactions of five seconds need at this rate.
declare -A command=(
    [kcc]="$kcc run"
    [kamailio]="$kamailio -X fm -x fm -m 1024 -M 16 -DD -E -f"
)

fail() {
    echo "compare: $*" >&2
    exit 1
}

finish() {
    local code=$? pid
    trap - EXIT
    for pid in $server_pid $uas_pid; do kill -TERM "$pid" 2>/dev/null || true; done
    if [ "$code" -ne 0 ]; then
        for file in "$work"/*.log; do
            [ -s "$file" ] && { echo "--- ${file##*/}"; tail -n 10 "$file"; } >&2
        done
    fi
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT

for program in "$kcc" "$load" "$kamailio" sipp; do
    command -v "$program" >/dev/null || fail "no $program"
done
"$load" wait "$server" 0.2 2>/dev/null && fail "something answers on $server already"

server_cpu='' client_cpu=''
if [ "$(nproc)" -gt 1 ] && command -v taskset >/dev/null; then
    server_cpu='taskset -c 0' client_cpu='taskset -c 1'
fi

# start_server NAME CONFIGURATION
start_server() {
    # The commands are lists of words.
    # shellcheck disable=SC2086
    $server_cpu ${command[$1]} "$2" >"$work/$1.log" 2>&1 </dev/null &
    server_pid=$!
    "$load" wait "$server" 10
}

stop_server() {
    kill -TERM "$server_pid"
    wait "$server_pid" || fail "the server ended with code $?"
    server_pid=
}

# Clock ticks of CPU that process $1 and its descendants have used.
ticks() {
    local stat fields child total
    stat=$(<"/proc/$1/stat") || return 0
    # The name in parentheses may have blanks.
    read -r -a fields <<<"${stat##*) }"
    total=$((fields[11] + fields[12]))
    # Words are wanted: one line has all children of a thread.
    # shellcheck disable=SC2013
    for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
        total=$((total + $(ticks "$child")))
    done
    echo "$total"
}

# per_unit COUNT TICKS: microseconds.
per_unit() { awk -v n="$1" -v t="$2" -v hz="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f\n", t / hz * 1e6 / n }'; }

send_options() { $client_cpu "$load" options "$server" "$1" "$outstanding" >"$work/load.log"; }

send_closed_calls() {
    $client_cpu "$load" calls "$server" 127.0.0.1:5070 "$1" "$outstanding" >"$work/load.log"
}

send_calls() {
    local sipp=(sipp -i 127.0.0.1 -nostdin -timeout 120 -timeout_error -m "$1")
    # shellcheck disable=SC2086
    {
        $client_cpu "${sipp[@]}" -sf tests/clients/uas.xml -p 5070 >"$work/uas.log" 2>&1 &
        uas_pid=$!
        until grep -qi "0100007F:$(printf '%04X' 5070) " /proc/net/udp; do
            kill -0 "$uas_pid" 2>/dev/null || fail "the called side ended"
        done
        printf 'SEQUENTIAL\nservice\n' >"$work/users.csv"
        $client_cpu "${sipp[@]}" -sf tests/clients/uac.xml -inf "$work/users.csv" -p 5080 \
            -r "$rate" -l 2000 "$server" >"$work/uac.log" 2>&1 || fail "calls failed: code $?"
    }
    wait "$uas_pid" || fail "the called side: code $?"
    uas_pid=
}

# measure NAME UNIT CONFIGURATION COUNT: appends microseconds of CPU per unit to UNIT.NAME.
measure() {
    local name=$1 unit=$2 configuration=$3 count=$4 before
    start_server "$name" "tests/benches/$configuration.cfg"
    "send_$unit" $((count / 10))
    before=$(ticks "$server_pid")
    "send_$unit" "$count"
    per_unit "$count" $(($(ticks "$server_pid") - before)) >>"$work/$unit.$name"
    stop_server
}

# The median of the numbers on standard input.
median() { sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

row() {
    local unit=$1 text=$2 ratios
    ratios=$(paste "$work/$unit.kcc" "$work/$unit.kamailio" | awk '{ printf "%.3f\n", $1 / $2 }' | sort -g)
    printf '| %s | %.1f | %.1f | %.2f – **%.2f** – %.2f |\n' "$text" \
        "$(median <"$work/$unit.kcc")" "$(median <"$work/$unit.kamailio")" \
        "$(head -n 1 <<<"$ratios")" "$(median <<<"$ratios")" "$(tail -n 1 <<<"$ratios")"
}

for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    for name in kcc kamailio; do measure "$name" options options "$options"; done
    for name in kcc kamailio; do measure "$name" closed_calls call "$closed"; done
    for name in kcc kamailio; do measure "$name" calls call "$calls"; done
done

"$kcc" build examples/registrar.cfg -o "$work/registrar" >"$work/build.log" 2>&1
for ((start = 1; start <= starts; start++)); do
    "$load" start 1 "$server" "$kcc" run examples/registrar.cfg >>"$work/start.kcc"
    "$load" start 1 "$server" "$work/registrar" >>"$work/start.built"
    # shellcheck disable=SC2086
    "$load" start 1 "$server" ${command[kamailio]} examples/registrar.cfg >>"$work/start.kamailio"
done

version=$("$kamailio" -v | awk 'NR == 1 { print $3 }')
cpu=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
cat <<END
$cpu, $(nproc) CPUs, Linux $(uname -r), Kamailio $version, $(date -u +%Y-%m-%d).
One worker each, UDP over loopback, $rounds rounds. OPTIONS: $options with $outstanding outstanding;
calls: $closed with $outstanding outstanding; $calls at $rate/s by SIPp.

| server CPU, µs per | kcc | Kamailio \`-X fm -x fm\` | kcc / Kamailio: least – median – most |
|---|---|---|---|
$(row options 'OPTIONS, answered 200')
$(row closed_calls "call: INVITE 100 180 200 ACK BYE 200, record-routed, $outstanding outstanding")
$(row calls "the same call at $rate/s by SIPp")

| start to first answered OPTIONS, \`examples/registrar.cfg\`, median of $starts | ms |
|---|---|
| \`kcc run\` | $(median <"$work/start.kcc") |
| executable made by \`kcc build\` | $(median <"$work/start.built") |
| Kamailio \`-X fm -x fm\` | $(median <"$work/start.kamailio") |
END

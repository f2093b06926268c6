# What up, down and status share: which parts there are, where they answer, and which process is theirs. Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
state=${DAM_BACKENDS_STATE:-$root/.backends}
# The order in which they are started; they are stopped the other way round.
parts=(jaeger gateway agent prometheus reports)

# Where each part listens is decided by the variables that the configuration files read. The first line is their defaults.
export DAM_JAEGER_QUERY_HTTP=${DAM_JAEGER_QUERY_HTTP:-127.0.0.1:16686} DAM_JAEGER=${DAM_JAEGER:-127.0.0.1:24317}
export DAM_GATEWAY_HEALTH=${DAM_GATEWAY_HEALTH:-127.0.0.1:13134} DAM_GATEWAY_PROMETHEUS=${DAM_GATEWAY_PROMETHEUS:-127.0.0.1:9464}
export DAM_AGENT_HEALTH=${DAM_AGENT_HEALTH:-127.0.0.1:13133}
export DAM_AGENT_METRICS_PORT=${DAM_AGENT_METRICS_PORT:-8888} DAM_GATEWAY_METRICS_PORT=${DAM_GATEWAY_METRICS_PORT:-8887}
export DAM_JAEGER_METRICS_PORT=${DAM_JAEGER_METRICS_PORT:-8889}
export DAM_PROMETHEUS=${DAM_PROMETHEUS:-127.0.0.1:9090} DAM_REPORTS=${DAM_REPORTS:-127.0.0.1:16680}
# What they write.
export DAM_AGENT_QUEUE=${DAM_AGENT_QUEUE:-$state/agent-queue} DAM_GATEWAY_FILE=${DAM_GATEWAY_FILE:-$state/otlp/dam-obs.jsonl}
export DAM_JAEGER_BADGER=${DAM_JAEGER_BADGER:-$state/jaeger} DAM_JAEGER_UI_CONFIG=${DAM_JAEGER_UI_CONFIG:-$state/ui.json}
runs=${DAM_REPORTS_RUNS:-$root/.dam-obs/runs}

# address NAME: host, port and path of a page that a part answers with status 200 when it is ready.
address() {
    case $1 in
        jaeger) echo "$DAM_JAEGER_QUERY_HTTP/api/services" ;;
        gateway) echo "$DAM_GATEWAY_HEALTH/" ;;
        agent) echo "$DAM_AGENT_HEALTH/" ;;
        prometheus) echo "$DAM_PROMETHEUS/-/ready" ;;
        reports) echo "$DAM_REPORTS/" ;;
    esac
}

# ready NAME: whether the part, or whatever is at its address, answers.
ready() {
    local where host status=''
    where=$(address "$1")
    host=${where%%/*}
    # In a shell of its own, since a refused connection ends it.
    status=$(
        exec 2>/dev/null
        exec 3<>"/dev/tcp/${host%:*}/${host##*:}" || exit
        printf 'GET /%s HTTP/1.0\r\nHost: %s\r\n\r\n' "${where#*/}" "$host" >&3
        read -r -t 5 _ code _ <&3 && echo "$code"
    ) || true
    [ "$status" = 200 ]
}

# born PID: when the process started, in the kernel's ticks; nothing if there is none. A pid may be given again, with this it is not.
born() {
    local stat
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    # The name, in brackets, may hold spaces. State Z has ended and only waits to be noticed.
    stat=${stat##*) }
    [ "${stat%% *}" = Z ] || awk '{ print $20 }' <<<"$stat"
}

# pid_of NAME: the process of a part that runs; nothing, with status 1, if it does not.
pid_of() {
    local pid ticks
    { read -r pid ticks <"$state/$1.pid"; } 2>/dev/null || return 1
    [ -n "$ticks" ] && [ "$(born "$pid")" = "$ticks" ] && echo "$pid"
}

# alone: let no second up or down run beside this one.
alone() {
    mkdir -p "$state"
    exec 9>"$state/lock"
    flock -w 300 9 || { echo "another up or down is at work on $state" >&2; exit 1; }
}

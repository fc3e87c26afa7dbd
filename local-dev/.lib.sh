# shellcheck shell=bash disable=SC2034
# What the scripts in local-dev share. Sourced, not run; the script that sources it has set -euo pipefail.

script=local-dev/${0##*/}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname -- "$here")
data=${SLUICE_LOCAL_DATA:-$here/data}
[[ $data == /* ]] || data=$PWD/$data

java_oldest=21
java_preferred=25

fail() {
  printf '%s: %s\n' "$script" "$1" >&2
  exit "${2:-1}"
}

# The feature release of a JDK by its home, or nothing if there is none. A runtime without a compiler is none.
java_release() {
  local version=
  [[ -x $1/bin/java && -x $1/bin/javac ]] || return 0
  if [[ -r $1/release ]]; then
    version=$(sed -n 's/^JAVA_VERSION="\([^"]*\)".*/\1/p' "$1/release")
  fi
  if [[ -z $version ]]; then
    version=$("$1/bin/java" -version 2>&1 | sed -n '1s/.*version "\([^"]*\)".*/\1/p') || true
  fi
  version=${version#1.}
  printf '%s' "${version%%[!0-9]*}"
}

# Sets JAVA_HOME to a JDK that fits and says which: the one that JAVA_HOME names, else the preferred release, else the
# newest that is installed.
find_java() {
  local home release best='' best_release=0 too_old=''
  if [[ -n ${JAVA_HOME:-} ]]; then
    release=$(java_release "$JAVA_HOME")
    if ((${release:-0} >= java_oldest)); then
      printf 'JDK %s (JAVA_HOME, %s)\n' "$release" "$JAVA_HOME" >&2
      return
    fi
    too_old=" (JAVA_HOME is ${release:+JDK }${release:-no JDK})"
  fi
  local homes=(/usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/*
    /Library/Java/JavaVirtualMachines/*/Contents/Home)
  if home=$(command -v javac); then
    home=$(readlink -f -- "$home")
    homes+=("${home%/bin/javac}")
  fi
  for home in "${homes[@]}"; do
    release=$(java_release "$home")
    [[ -n $release ]] || continue
    if ((release < java_oldest)); then
      [[ -n $too_old ]] || too_old=" (found only JDK $release, $home)"
    elif ((best_release != java_preferred && (release == java_preferred || release > best_release))); then
      best=$home best_release=$release
    fi
  done
  [[ -n $best ]] || fail "needs a JDK $java_oldest or later$too_old: install one, or set JAVA_HOME to it"
  export JAVA_HOME=$best
  printf 'JDK %s (%s)\n' "$best_release" "$best" >&2
}

require_maven() {
  command -v mvn >/dev/null || fail 'needs Maven 3.8 or later: mvn is not on the PATH'
}

# Sets CHROMIUM to a browser for the tests of the page. Where there is none it is installed, on a Debian as root; else
# these tests are skipped, and that is said.
find_chromium() {
  local name
  if [[ -n ${CHROMIUM:-} ]]; then
    [[ -x $CHROMIUM ]] || fail "CHROMIUM is $CHROMIUM, which is no program"
    return
  fi
  if ! chromium_on_path >/dev/null && ((EUID == 0)) && command -v apt-get >/dev/null; then
    printf 'Installing Chromium for the tests of the page\n' >&2
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
      >/dev/null 2>&1 </dev/null || true
  fi
  if name=$(chromium_on_path); then
    export CHROMIUM=$name
  else
    printf 'SKIPPED: the tests of the page, for want of a browser: install Chromium, or set CHROMIUM to it\n' >&2
  fi
}

chromium_on_path() {
  command -v chromium || command -v chromium-browser || command -v google-chrome
}

# Whether an up runs on this data folder. It holds a lock for as long as it lives, however it ends.
up_runs() {
  command -v flock >/dev/null || fail 'needs flock (util-linux), which is not on the PATH'
  [[ -e $data/up.lock ]] && ! flock -n "$data/up.lock" true
}

up_pid() {
  cat -- "$data/up.pid" 2>/dev/null || printf 'unknown'
}

# A running up knows more than the scripts: those that speak to it need it there, and past its start.
require_up() {
  up_runs || fail "local-dev/up does not run on $data: start it first"
  [[ -e $data/env ]] || fail 'local-dev/up is still starting: wait until it says that all runs'
}

# Ends what an up that was killed left behind: each server's folder has the process id in server.pid, and the server
# works in that folder. No other process with the same id does.
end_leftovers() {
  local folder pid cwd child ended=0
  for folder in "$data"/{functions,debezium,kafka,destination,source}; do
    [[ -r $folder/server.pid ]] || continue
    read -r pid <"$folder/server.pid" || true
    cwd=$(readlink -- "/proc/$pid/cwd" 2>/dev/null) || cwd=
    if [[ -n $cwd && $cwd/ == "$(cd -- "$folder" && pwd -P)"/* ]]; then
      # The children first: PostgreSQL's keep the shared memory of a dead server.
      for child in $(pgrep -P "$pid") "$pid"; do
        kill -KILL "$child" 2>/dev/null || true
      done
      printf 'Ended %s (pid %s), which was left running.\n' "${folder##*/}" "$pid"
      ended=$((ended + 1))
    fi
    rm -f -- "$folder/server.pid"
  done
  if ((ended == 0)); then
    printf 'Nothing was left running.\n'
  fi
}

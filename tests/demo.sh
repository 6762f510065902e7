#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The main job, on real packets: a client outside, a firewall, two servers inside. Each is a network
# namespace that goes away with this script; the machine's own network is not touched. Without root it
# runs in a user namespace. Exits 1 if anything is not as it says.
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
O=${O:-$top/build}
PATH=$PATH:/usr/sbin:/sbin
export O PATH IPMASQADM_MODDIR="$O/modules"
traffic=$O/tests/traffic

# The mark is our process number, which exec keeps: nobody else's environment can stand in for it.
if [ "${DEMO_INSIDE:-}" != $$ ]; then
	for how in -nm -Urnm; do
		if reason=$(unshare $how true 2>&1); then
			DEMO_INSIDE=$$ exec unshare $how sh "$0"
		fi
		echo "demo: network namespaces can't be made here: unshare $how: $reason" >&2
	done
	echo "demo: run it as root, or allow user namespaces: sysctl user.max_user_namespaces=10000" \
		"(Ubuntu also: kernel.apparmor_restrict_unprivileged_userns=0)" >&2
	exit 1
fi

# All state is on a file system of our own, and every process ends with us.
mount -t tmpfs none /run
mkdir /run/netns /run/demo
pids=
cleanup() {
	trap - EXIT
	# shellcheck disable=SC2086 # one word a process
	[ -z "$pids" ] || kill $pids 2>/dev/null || :
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

wrong() {
	echo "demo: FAILED: $*" >&2
	exit 1
}

on() {
	where=$1
	shift
	nsenter --net="/run/netns/$where" "$@"
}

firewall() {
	printf '  firewall# %s\n' "$*"
	shift
	"$O/ipmasqadm" "$@"
}

# connect PORT COUNT: the client connects, and says who answered and saw whom
connect() {
	printf '  client$ connects to 198.51.100.1 port %s%s\n' "$1" "${2:+, $2 times}"
	on client "$traffic" connect -n "${2:-1}" 198.51.100.1 "$1" >/run/demo/answers || :
	while read -r name peer at _; do
		if [ -n "$at" ]; then
			printf '      answered by %s at %s, which saw %s\n' "$name" "$at" "$peer"
			[ "${peer%:*}" = 203.0.113.5 ] || wrong "the server saw $peer"
		else
			printf '      %s\n' "$name"
		fi
	done </run/demo/answers
	got=$(cut -d ' ' -f 1 /run/demo/answers | tr '\n' ' ')
}

expect() { [ "$got" = "$1 " ] || wrong "expected $1, got $got"; }

host() {
	name=$1 address=$2 gateway=$3
	ip netns add "$name"
	ip link add name "$name" type veth peer name eth0 netns "$name"
	ip address add "$gateway/32" dev "$name"
	ip link set dev "$name" up
	ip route add "$address/32" dev "$name"
	on "$name" ip link set lo up
	on "$name" ip address add "$address/32" dev eth0
	on "$name" ip link set eth0 up
	on "$name" ip route add "$gateway/32" dev eth0
	on "$name" ip route add default via "$gateway"
}

serve() {
	on "$@" &
	pids="$pids $!"
}

title 'A client outside, a firewall, two servers inside'
ip link set lo up
ip address add 198.51.100.1/32 dev lo
echo 1 >/proc/sys/net/ipv4/ip_forward
host client 203.0.113.5 203.0.113.254
host web1 10.0.0.2 10.0.0.254
host web2 10.0.0.3 10.0.0.254
serve web1 "$traffic" serve web1 8080
serve web2 "$traffic" serve web2 8080
cat <<'END'
                                                  .---- web1  10.0.0.2:8080
  client 203.0.113.5 ---- 198.51.100.1 firewall --|
                                                  '---- web2  10.0.0.3:8080
END
for web in 10.0.0.2 10.0.0.3; do
	tries=0
	until "$traffic" connect $web 8080 >/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || wrong "$web does not answer"
		sleep 0.05
	done
done

title 'Nothing is forwarded yet'
connect 80
expect refused

title 'One port to one server; the server sees the client itself'
firewall ipmasqadm portfw -a -P tcp -L 198.51.100.1 80 -R 10.0.0.2 8080
connect 80 2
expect 'web1 web1'

title 'Another port balanced 1:2 over both'
firewall ipmasqadm portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.2 8080 -p 1
firewall ipmasqadm portfw -a -P tcp -L 198.51.100.1 81 -R 10.0.0.3 8080 -p 2
connect 81 6
expect 'web2 web2 web1 web2 web2 web1'

title 'What the firewall knows'
firewall ipmasqadm portfw -l -n

title 'A running connection outlives its forward'
mkfifo /run/demo/say
: >/run/demo/heard # read before the background process below has opened it
on client "$traffic" connect -k 198.51.100.1 80 </run/demo/say >/run/demo/heard &
pids="$pids $!"
exec 3>/run/demo/say
heard() {
	tries=0
	until [ "$(wc -l </run/demo/heard)" -ge "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || wrong 'the running connection is dead'
		sleep 0.05
	done
	tail -n 1 /run/demo/heard | {
		read -r name peer at _
		[ "$name" = web1 ] || wrong "the running connection: $name"
		printf '      answered by %s at %s, which saw %s\n' "$name" "$at" "$peer"
	}
}
echo "  client\$ connects to 198.51.100.1 port 80 and stays connected"
heard 1
firewall ipmasqadm portfw -d -P tcp -L 198.51.100.1 80
connect 80
expect refused
echo "  client\$ asks once more on the connection that is still open"
echo again >&3
heard 2
exec 3>&-

title 'A mistake: check finds it, and its cure works'
firewall ipmasqadm portfw -a -P tcp -L 198.51.100.1 8080 -R 10.0.0.2 80
connect 8080
expect refused
printf '  firewall# ipmasqadm check -P tcp -L 198.51.100.1 8080\n'
"$O/ipmasqadm" check -P tcp -L 198.51.100.1 8080 >/run/demo/check && wrong 'check sees no fault'
sed 's/^/      /' /run/demo/check
grep -q '^BROKEN' /run/demo/check || wrong 'check could not look'
cure=$(sed -n 's/^  cure *//p' /run/demo/check)
printf '  firewall# %s\n' "$cure"
ipmasqadm() { "$O/ipmasqadm" "$@"; }
eval "$cure"
firewall ipmasqadm check -P tcp -L 198.51.100.1 8080 >/run/demo/check || wrong "$(cat /run/demo/check)"
sed '2,$s/^/      /' /run/demo/check
connect 8080
expect web1

title 'The end'
firewall ipmasqadm portfw -f
connect 81
expect refused
echo
echo 'All as it should be.'

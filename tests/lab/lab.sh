#!/bin/bash
# lab.sh - a network laboratory in network namespaces, with known delays.
#
#   lab.sh up [key=value ...]     build (tears down an older one first)
#   lab.sh down                   tear everything down (safe to repeat)
#   lab.sh status                 emulator statistics (JSON) and namespaces
#   lab.sh exec NS CMD...         run a command in namespace NS (src, dst, r3, ...)
#   lab.sh truth                  per-hop truth table: ttl, addresses, RTT ms, remarks
#   lab.sh link K key=val...      change the impairments of link K (keys of linkemu)
#
# The chain (n=10 routers by default; link K lies left of router K):
#   src -0- r1 -1- r2 -2- r3 =3= {r4a|r4b} =4= r5 -5- r6 -6- r7 -7- r8 -8- r9 -9- r10 -10- dst
#                          ECMP, 2 equal paths     r6: ICMP errors limited to 1/s
#                          (r4b path +3 ms/link)   link 7: loss   r9: sends no ICMP errors
# dst answers for every address of 10.200.0.0/16 and fd77:200::/64.
# farm: a namespace one plain veth away from src, no delay, answers for 10.201.0.0/16
#       and fd77:201::/64 (scale tests without the emulator in the path).
# far:  one emulated link away (fardelay, fardloss...), answers for 10.202.0.0/16 and
#       fd77:202::/64 (accuracy tests at scale; impair it with farlink="...").
#
# Parameters (up):
#   n=10            routers in the chain (8..12)
#   delays="1 2 1 2 3 1 5 2 1 2 1 ..."   one-way ms of links 0..n
#   ecmp=3          router whose next hop is split (0: no split); ecmpextra=3 (ms more on path b)
#   limited=6       router with rate-limited ICMP errors (0: none)
#   lossy=7         impaired link (-1: none), loss=5 (percent, each direction)
#   silent=9        router that sends no ICMP errors (0: none)
#   fardelay=10     one-way ms of the far link; farlink="" more linkemu keys for it
#   cpu=1 fifo=50 spin=150 seed=1   linkemu placement and random seed
#   chain=1 farm=1 far=1    which parts to build
#   emulog=FILE             the emulator writes one line per packet (slow; accuracy tests only):
#                           direction arrival_ns departure_ns proto dst l4byte0 id seq udpseq [quoted_id quoted_seq]
# Needs root, iproute2, nft (for the silent router) and the built nw_linkemu (NW_LINKEMU names another one).
# sch_netem is not used: the kernel need not have it.
set -euo pipefail
for _fd in {3..30}; do eval "exec $_fd>&-" 2>/dev/null || true; done   # daemons must not keep a caller's lock file open
HERE=$(cd "$(dirname "$0")" && pwd)
STATE=${NWLAB_STATE:-/tmp/nwlab}
P=${NWLAB_PREFIX:-nwlab}
LINKEMU=${NW_LINKEMU:-$HERE/../../build/fast/tests/lab/nw_linkemu}
export PATH=$PATH:/usr/sbin:/sbin

down() {
  if [[ -s $STATE/linkemu.pid ]]; then
    local pid; pid=$(cat "$STATE/linkemu.pid")
    if [[ $(readlink "/proc/$pid/exe" 2>/dev/null) == *linkemu* ]]; then
      kill "$pid" 2>/dev/null || true
      for _ in $(seq 50); do [[ -d /proc/$pid ]] || break; sleep 0.02; done
    fi
    rm -f "$STATE/linkemu.pid"
  fi
  local ns
  for ns in $(ip netns list 2>/dev/null | awk -v p="^$P-" '$1 ~ p {print $1}'); do ip netns del "$ns"; done
}

N() { ip -n "$P-$1" "${@:2}"; }               # ip(8) in a namespace
S() { local ns=$1; shift; ip netns exec "$P-$ns" sysctl -qw "$@"; }

addns() {
  ip netns add "$P-$1"
  ip netns exec "$P-$1" sh -c '
    sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
      net.ipv6.conf.default.router_solicitations=0 \
      net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
      net.ipv4.ping_group_range="0 2147483647"
    for k in net.ipv4.icmp_msgs_per_sec=10000000 net.ipv4.icmp_msgs_burst=1000000; do sysctl -qw $k 2>/dev/null || true; done
    ip link set lo up'
}
router() { addns "$1"; S "$1" net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.fib_multipath_hash_policy=1 net.ipv6.fib_multipath_hash_policy=1; }

# link TAG NSA NSB NET ["linkemu keys"]: NSA gets 10.77.NET.1, NSB 10.77.NET.2 on interface eTAG.
# With keys the link passes through the emulator, without it is one plain veth pair.
link() {
  local tag=$1 a=$2 b=$3 net=$4 keys=${5-}
  if [[ -n $keys ]]; then
    N emu link add "l${tag}a" type veth peer name "e$tag"
    N emu link add "l${tag}b" type veth peer name "f$tag"
    ip netns exec "$P-emu" "$STATE/linkemu" --nooffload "l${tag}a" "e$tag" "l${tag}b" "f$tag"
    N emu link set "l${tag}a" up; N emu link set "l${tag}b" up
    N emu link set "e$tag" netns "$P-$a"; N emu link set "f$tag" netns "$P-$b"
    N "$b" link set "f$tag" name "e$tag"
    echo "pair l${tag}a l${tag}b name=$tag $keys" >> "$STATE/links.conf"
  else
    N "$a" link add "e$tag" type veth peer name "e$tag" netns "$P-$b"
  fi
  N "$a" addr add "10.77.$net.1/30" dev "e$tag"; N "$b" addr add "10.77.$net.2/30" dev "e$tag"
  N "$a" link set "e$tag" up; N "$b" link set "e$tag" up
  N "$a" addr add "fd77:0:0:$net::1/64" dev "e$tag" nodad; N "$b" addr add "fd77:0:0:$net::2/64" dev "e$tag" nodad
  # fixed neighbours: no ARP/ND packets disturb the first probes
  local ma mb
  ma=$(N "$a" -br link show "e$tag" | awk '{print $3}'); mb=$(N "$b" -br link show "e$tag" | awk '{print $3}')
  N "$a" neigh replace "10.77.$net.2" lladdr "$mb" dev "e$tag"; N "$b" neigh replace "10.77.$net.1" lladdr "$ma" dev "e$tag"
  N "$a" neigh replace "fd77:0:0:$net::2" lladdr "$mb" dev "e$tag"; N "$b" neigh replace "fd77:0:0:$net::1" lladdr "$ma" dev "e$tag"
}

emu_start() {
  [[ -s $STATE/links.conf ]] || return 0
  ip netns exec "$P-emu" "$STATE/linkemu" "$STATE/links.conf" --cpu "$cpu" --fifo "$fifo" --spin "$spin" --seed "$seed" \
    --stats "$STATE/linkemu.json" ${emulog:+--log "$emulog"} 2> "$STATE/linkemu.err" < /dev/null > /dev/null &
  echo $! > "$STATE/linkemu.pid"
  for _ in $(seq 100); do grep -q 'links up' "$STATE/linkemu.err" && return 0; sleep 0.05; done
  cat "$STATE/linkemu.err" >&2; return 1
}

params() {
  n=10 delays="1 2 1 2 3 1 5 2 1 2 1 2 1" ecmp=3 ecmpextra=3 limited=6 lossy=7 loss=5 silent=9
  fardelay=10 farlink="" cpu=$(( $(nproc) > 1 ? 1 : 0 )) fifo=50 spin=150 chain=1 farm=1 far=1 emulog="" seed=1
  local kv
  for kv in "$@"; do
    [[ -n $kv ]] || continue
    case ${kv%%=*} in
      n|delays|ecmp|ecmpextra|limited|lossy|loss|silent|fardelay|farlink|cpu|fifo|spin|chain|farm|far|emulog|seed) printf -v "${kv%%=*}" %s "${kv#*=}" ;;
      *) echo "lab.sh: unknown parameter ${kv%%=*}" >&2; exit 2 ;;
    esac
  done
}

up() {
  params "$@"
  down
  mkdir -p "$STATE"
  : > "$STATE/links.conf"
  printf '%s\n' "$@" > "$STATE/params"
  [[ -x $LINKEMU ]] || { echo "lab.sh: no $LINKEMU (./dev build, or set NW_LINKEMU)" >&2; exit 1; }
  cp -u "$LINKEMU" "$STATE/linkemu"
  ip netns add "$P-emu"
  ip netns exec "$P-emu" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  addns src
  [[ $chain == 1 ]] && up_chain
  if [[ $farm == 1 ]]; then
    addns farm; link farm src farm 201
    N farm route add local 10.201.0.0/16 dev lo; N farm -6 route add local fd77:201::/64 dev lo
    N src route add 10.201.0.0/16 via 10.77.201.2; N src -6 route add fd77:201::/64 via fd77:0:0:201::2
    N farm route add default via 10.77.201.1; N farm -6 route add default via fd77:0:0:201::1
  fi
  if [[ $far == 1 ]]; then
    addns far; link far src far 202 "delay=$fardelay $farlink"
    N far route add local 10.202.0.0/16 dev lo; N far -6 route add local fd77:202::/64 dev lo
    N src route add 10.202.0.0/16 via 10.77.202.2; N src -6 route add fd77:202::/64 via fd77:0:0:202::2
    N far route add default via 10.77.202.1; N far -6 route add default via fd77:0:0:202::1
  fi
  emu_start
}

up_chain() {
  local d=($delays) i k left keys
  addns dst
  for ((i = 1; i <= n; i++)); do
    if ((ecmp > 0 && i == ecmp + 1)); then router "r${i}a"; router "r${i}b"; else router "r$i"; fi
  done
  # path a uses nets K, path b nets 100+K
  for ((k = 0; k <= n; k++)); do
    keys="delay=${d[k]}"; ((k == lossy)) && keys+=" loss=$loss"
    local x=r$k y=r$((k + 1))
    ((k == 0)) && x=src
    ((k == n)) && y=dst
    if ((ecmp > 0 && k == ecmp)); then
      link "$k" "$x" "${y}a" "$k" "$keys"; link "${k}b" "$x" "${y}b" $((100 + k)) "delay=$((d[k] + ecmpextra))"
    elif ((ecmp > 0 && k == ecmp + 1)); then
      link "$k" "${x}a" "$y" "$k" "$keys"; link "${k}b" "${x}b" "$y" $((100 + k)) "delay=$((d[k] + ecmpextra))"
    else
      link "$k" "$x" "$y" "$k" "$keys"
    fi
  done
  local L4=10.77.0.0/30 L6=fd77:0:0:0::/64
  N src route add default via 10.77.0.2; N src -6 route add default via fd77:0:0:0::2
  for ((i = 1; i <= n; i++)); do
    if ((ecmp > 0 && i == ecmp)); then
      N "r$i" route add default nexthop via "10.77.$i.2" nexthop via "10.77.$((100 + i)).2"
      N "r$i" -6 route add default nexthop via "fd77:0:0:$i::2" nexthop via "fd77:0:0:$((100 + i))::2"
      back "r$i" "$i"
    elif ((ecmp > 0 && i == ecmp + 1)); then
      N "r${i}a" route add default via "10.77.$i.2"; N "r${i}a" -6 route add default via "fd77:0:0:$i::2"; back "r${i}a" "$i"
      N "r${i}b" route add default via "10.77.$((100 + i)).2"; N "r${i}b" -6 route add default via "fd77:0:0:$((100 + i))::2"; back "r${i}b" $((100 + i))
    else
      N "r$i" route add default via "10.77.$i.2"; N "r$i" -6 route add default via "fd77:0:0:$i::2"
      if ((ecmp > 0 && i == ecmp + 2)); then
        N "r$i" route add $L4 nexthop via "10.77.$((i - 1)).1" nexthop via "10.77.$((99 + i)).1"
        N "r$i" -6 route add $L6 nexthop via "fd77:0:0:$((i - 1))::1" nexthop via "fd77:0:0:$((99 + i))::1"
      else
        back "r$i" "$i"
      fi
    fi
  done
  N dst route add default via "10.77.$n.1"; N dst -6 route add default via "fd77:0:0:$n::1"
  N dst route add local 10.200.0.0/16 dev lo; N dst -6 route add local fd77:200::/64 dev lo
  ((limited > 0)) && S "r$limited" net.ipv4.icmp_ratelimit=1000 net.ipv6.icmp.ratelimit=1000
  if ((silent > 0)); then
    ip netns exec "$P-r$silent" nft -f - <<'NFT'
table inet mute {
  chain out {
    type filter hook output priority 0;
    icmp type time-exceeded drop
    icmpv6 type time-exceeded drop
  }
}
NFT
  fi
  return 0
}
# back ROUTER NET: the way back to src, over the link numbered NET-1 (its left link)
back() {
  local left=$(($2 - 1))
  if [[ $1 == r1 ]]; then return 0; fi   # connected
  N "$1" route add 10.77.0.0/30 via "10.77.$left.1"
  N "$1" -6 route add fd77:0:0:0::/64 via "fd77:0:0:$left::1"
}

truth() {
  # shellcheck disable=SC2046
  mapfile -t ps < "$STATE/params"; params ${ps[@]+"${ps[@]}"}
  local d=($delays) i sum=0
  echo "ttl addresses rtt_ms remark"
  for ((i = 1; i <= n; i++)); do
    sum=$((sum + d[i - 1])); local note=""
    ((i == limited)) && note="icmp-limited"; ((i == silent)) && note="silent"
    ((lossy >= 0 && i > lossy)) && note+="${note:+,}beyond-lossy-link"
    if ((ecmp > 0 && i == ecmp + 1)); then
      echo "$i 10.77.$((i - 1)).2|10.77.$((99 + i)).2 $((2 * sum))|$((2 * (sum + ecmpextra))) ecmp"
    else
      echo "$i 10.77.$((i - 1)).2 $((2 * sum)) $note"
    fi
  done
  echo "$((n + 1)) 10.77.$n.2 $((2 * (sum + d[n]))) destination"
  ((ecmp > 0)) && echo "# beyond the split each direction may take path b: +$((2 * ecmpextra)) ms per direction"
  return 0
}

case ${1:-} in
  up) shift; up "$@" ;;
  down) down ;;
  status)
    [[ -s $STATE/linkemu.pid ]] && kill -USR1 "$(cat "$STATE/linkemu.pid")" && sleep 0.2
    cat "$STATE/linkemu.json" 2>/dev/null || true; ip netns list | grep "^$P-" || echo "no namespaces" ;;
  exec) ns=$2; shift 2; exec ip netns exec "$P-$ns" "$@" ;;
  truth) truth ;;
  link)
    tag=$2; shift 2
    sed -i "s/^\(pair l${tag}a l${tag}b name=$tag\) .*/\1 $*/" "$STATE/links.conf"
    kill -HUP "$(cat "$STATE/linkemu.pid")" ;;
  *) sed -n '2,/^set -euo/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
esac

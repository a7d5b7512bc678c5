# Only where the kernel has a packet filter already: to ask for one would load it.
filter() { [ -d "/sys/module/$1" ] || run grep -qm1 "$2" /proc/kallsyms; }
if [ "$uid" != 0 ]; then rec "Y${T}rules${T}denied"; return 0; fi
n4= n6=
{ while read -r a; do n4="$n4 $a"; done </proc/net/ip_tables_names; }
{ while read -r a; do n6="$n6 $a"; done </proc/net/ip6_tables_names; }
case $n4 in *filter*)
  for f in iptables-legacy-save iptables-save; do
    command -v $f >/dev/null && { output ip 262144 $f -t filter; break; }
  done
  value legacy4 filter;;
esac
case $n6 in *filter*)
  for f in ip6tables-legacy-save ip6tables-save; do
    command -v $f >/dev/null && { output ip6 262144 $f -t filter; break; }
  done
  value legacy6 filter;;
esac
filter nf_tables nft_do_chain
case $? in 0) a=1;; 1) a=;; 124) a=; rec "Y${T}rules${T}timeout";; *) a=; rec "Y${T}rules${T}error";; esac
if [ -n "$a" ]; then
  value nf_tables there
  if command -v nft >/dev/null; then
    # The base chains alone are a few lines; then the tables that have one where packets come in.
    o=$(run nft list chains; echo "x$?")
    blob chains "$(put "$o" | cap 100000 | enc)"
    set -- $(put "$o" | sed -n -e '/^table /{s/^table \([a-z0-9]*\) \(.*\) {.*/\1 \2/;h;}' -e '/hook input/{x;p;x;}' |
      grep -E '^(ip|ip6|inet) [A-Za-z0-9_.-]+$' | sort -u | head -n 6)
    while [ $# -gt 1 ]; do
      output "nft $1 $2" 262144 nft -nn list table "$1" "$2"
      shift 2
    done
  else
    for f in iptables-nft-save iptables-save; do
      command -v $f >/dev/null && { output nft-ip 262144 $f -t filter; break; }
    done
    for f in ip6tables-nft-save ip6tables-save; do
      command -v $f >/dev/null && { output nft-ip6 262144 $f -t filter; break; }
    done
  fi
fi

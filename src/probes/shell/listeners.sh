for f in /proc/net/tcp /proc/net/tcp6; do
  if [ -r "$f" ]; then output "$f" 200000 grep ' 0A ' "$f"; else lack "$f" absent; fi
done
value machine "$(uname -m)"
# Whose they are: the inode behind each open file of each process, some processes at a time.
claims() {
  set +f; set -- $g; set -f
  g= i=0
  { run stat -c %N "$@"; echo "x$?"; } |
    sed -n 's!^.\(/proc/[0-9]*/fd/[0-9]*\). -> .socket:\[\([0-9]*\)\].$!\2 0 \1!p;/^x[0-9]*$/p' |
    grep -E "^($w) |^x"
}
if [ "$uid" = 0 ] && [ $sk = stat ]; then
  set -- $(run grep -h ' 0A ' /proc/net/tcp /proc/net/tcp6 |
    sed -n 's/^ *\([^ ]*  *\)\{9\}\([0-9]*\) .*/\2/p' | head -n 2000)
  IFS='|'; w=$*; IFS=$D
  o=$(
    g= i=0
    set +f; set -- /proc/[0-9]*/fd; set -f
    for f do g="$g $f/*" i=$((i + 1)); [ $i -lt 40 ] || claims; done
    [ -z "$g" ] || claims
  )
  blob sockets "$({ put "$o"; put x0; } | cap 300000 | enc)"
  g= cg= cc=
  for f in $(put "$o" | sed -n 's!.* /proc/\([0-9]*\)/fd/.*!\1!p'); do
    case $g in *" $f "*) ;; *) g="$g $f " cg="$cg /proc/$f/cgroup" cc="$cc /proc/$f/comm";; esac
  done
  blob groups "$({ run grep -m1 kubepods $cg /dev/null; echo "x$?"; } | cap 300000 | enc)"
  blob names "$({ run grep -aH -m1 '' $cc /dev/null; echo "x$?"; } | cap 100000 | enc)"
fi
